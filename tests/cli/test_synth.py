"""`graft prepare synth`: planted data sets."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import time

import numpy as np
import pytest
import scipy.sparse as sp

from conftest import default_signals

FILES = ["dataset.json", "image_feat.npy", "labels.tsv", "planted.tsv", "shop.inter", "text_feat.npy", "truth.npz"]
SECONDS_TO_WAIT = 120


@pytest.fixture
def synth(graft, tmp_path):
    """Makes a data set that must succeed; returns its directory."""

    def run(*arguments, out="shop", **options):
        done = graft("prepare", "synth", "--out", out, *arguments, **options)
        assert done.returncode == 0, done.stderr
        return tmp_path / out

    return run


def read_table(path):
    header, *rows = path.read_text().splitlines()
    return header.split("\t"), np.array([[int(value) for value in row.split("\t")] for row in rows])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_directory_holds_what_was_asked(synth):
    shop = synth("--users", 300, "--items", 120, "--interactions", 2345, "--dims", 20, "--image-dims", 6)
    assert names(shop) == FILES
    header, inter = read_table(shop / "shop.inter")
    assert header == ["userID", "itemID", "x_label"]
    users, items, labels = inter.T
    assert len(inter) == 2345
    assert len(np.unique(users * 120 + items)) == 2345
    assert (np.unique(users) == np.arange(300)).all()
    assert (np.unique(items) == np.arange(120)).all()
    assert np.bincount(users).min() >= 5
    for user in range(300):
        own = labels[users == user]
        held_out = 2 if len(own) < 10 else len(own) // 5
        counts = [len(own) - held_out, held_out // 2, held_out - held_out // 2]
        assert (own == np.repeat([0, 1, 2], counts)).all()
    for name, dims in [("text_feat", 20), ("image_feat", 6)]:
        features = np.load(shop / f"{name}.npy")
        assert features.shape == (120, dims) and features.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)


def test_labels_and_truth_agree_with_where_items_were_planted(synth):
    shop = synth()
    header, labels = read_table(shop / "labels.tsv")
    assert header == ["itemID", "label"]
    header, planted = read_table(shop / "planted.tsv")
    assert header == ["itemID", "cluster", "family", "bridge", "noisy_text", "noisy_image"]
    np.testing.assert_array_equal(labels, planted[:, :2])
    items, clusters, families, bridges = planted.T[:4]
    assert (items == np.arange(600)).all()
    same_family = families[:, None] == families
    same_bridge = (bridges[:, None] == bridges) & (bridges >= 0)
    expected = same_family * 1.0 + same_bridge * 2.0
    np.fill_diagonal(expected, 0)
    truth = sp.load_npz(shop / "truth.npz")
    np.testing.assert_array_equal(truth.toarray(), expected)
    assert set(truth.data) == {1, 2}
    assert (clusters[:, None] == clusters)[same_family].all()
    assert planted[:, 4].sum() == planted[:, 5].sum() == 120


def test_the_description_has_options_counts_and_hashes(synth, graft):
    shop = synth("--seed", 12, "--noise", 0.25, "--bridges", 0.5, "--clusters", 9)
    facts = json.loads((shop / "dataset.json").read_text())
    assert facts["seed"] == 12
    assert facts["options"] == {
        "users": 800,
        "items": 600,
        "interactions": 8000,
        "text_dims": 384,
        "image_dims": 128,
        "clusters": 9,
        "noise": 0.25,
        "noisy_items": 0.2,
        "bridges": 0.5,
    }
    assert facts["version"] == json.loads(graft("version", "--json", "-").stdout)["version"]
    for file in facts["files"]:
        data = (shop / file["name"]).read_bytes()
        assert file["bytes"] == len(data)
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert sorted([file["name"] for file in facts["files"]] + ["dataset.json"]) == FILES
    counts = facts["counts"]
    _, inter = read_table(shop / "shop.inter")
    assert [counts["train"], counts["valid"], counts["test"]] == np.bincount(inter[:, 2]).tolist()
    assert counts["largest_audience"] == np.bincount(inter[:, 1]).max()
    assert counts["largest_history"] == np.bincount(inter[:, 0]).max()
    weights = sp.load_npz(shop / "truth.npz").data
    assert counts["truth_content_edges"] == (weights == 1).sum()
    assert counts["truth_bridge_edges"] == (weights == 2).sum()


def test_the_same_options_give_the_same_bytes(synth, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    one = contents(synth("--threads", 1))
    assert sorted(one) == FILES
    assert contents(synth("--threads", 3, "--quiet", out="elsewhere/shop")) == one
    explicit = ["--shape", "demo", "--users", 800, "--items", 600, "--interactions", 8000, "--dims", 384, "--seed", 1]
    (tmp_path / "third").mkdir()
    assert contents(synth(*explicit, "--json", "summary.json", out="third/shop")) == one


@pytest.mark.parametrize(
    "option, changed",
    [
        (["--seed", 2], FILES),
        (["--dims", 12], ["text_feat.npy"]),
        (["--image-dims", 12], ["image_feat.npy"]),
        (["--noise", 0.11], ["shop.inter"]),
        (["--noisy-items", 0.25], ["text_feat.npy", "image_feat.npy", "planted.tsv"]),
        (["--bridges", 0.1], ["planted.tsv", "shop.inter", "truth.npz"]),
        (["--clusters", 20], FILES),
        (["--users", 801], ["shop.inter"]),
    ],
)
def test_every_option_changes_what_it_should_and_nothing_else(synth, tmp_path, option, changed):
    for name in ["before", "after"]:
        (tmp_path / name).mkdir()
    before = contents(synth(out="before/shop"))
    after = contents(synth(*option, out="after/shop"))
    differ = sorted(name for name in FILES if before[name] != after[name])
    assert differ == sorted({*changed, "dataset.json"})


def test_no_image_features_on_request(synth):
    shop = synth("--image-dims", 0)
    assert names(shop) == [name for name in FILES if name != "image_feat.npy"]


def test_the_data_set_is_what_refine_takes_and_refining_helps(synth, graft, tmp_path):
    shop = synth("--shape", "baby", "--items", 3000, "--users", 6000, "--interactions", 50000)
    truth = sp.load_npz(shop / "truth.npz") > 0

    def found(*options):
        inputs = ["--features", shop / "text_feat.npy", "--interactions", shop / "shop.inter", "--out", "graph.npz"]
        done = graft("refine", *inputs, "--quiet", *options)
        assert done.returncode == 0, done.stderr
        graph = sp.load_npz(tmp_path / "graph.npz") > 0
        hits = graph.multiply(truth).nnz
        return hits / graph.nnz, hits / truth.nnz

    plain = found("--threshold", -1, "--jaccard-k", 0)
    denoised = found("--threshold", 0.5, "--jaccard-k", 0)
    refined = found("--threshold", 0.5, "--jaccard-k", 10)
    assert denoised[0] > plain[0] + 0.1
    assert denoised[1] > plain[1] - 0.01
    assert refined[1] > denoised[1] + 0.07


def test_the_summary_goes_to_standard_output_or_as_json(graft, tmp_path):
    done = graft("prepare", "synth", "--out", "shop", "--json", "-")
    assert done.returncode == 0
    facts = json.loads(done.stdout)
    assert facts["command"] == "prepare synth" and facts["shape"] == "demo" and facts["out"] == "shop"
    stored = json.loads((tmp_path / "shop" / "dataset.json").read_text())
    assert {key: facts[key] for key in stored} == stored
    assert "8000 (train" in done.stderr
    done = graft("prepare", "synth", "--out", "shop2", "--json", "summary.json")
    assert done.returncode == 0 and done.stderr == ""
    for name in FILES:
        assert f"shop2/{name.replace('shop.inter', 'shop2.inter')}" in done.stdout
    assert json.loads((tmp_path / "summary.json").read_text())["out"] == "shop2"
    done = graft("prepare", "synth", "--out", "shop3", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("out, name", [("my shop", "my shop"), ("käse", "käse"), ("slash/", "slash"), ("./dot", "dot")])
def test_the_interactions_carry_the_name_of_the_directory(synth, tmp_path, out, name):
    synth(out=out)
    assert (tmp_path / name / f"{name}.inter").is_file()
    assert names(tmp_path) == [name]


BAD_OPTIONS = [
    (["--shape", "toys"], "--shape = toys: must be one of demo, baby, sports, clothing, electronics"),
    (["--users", "0"], "--users = 0"),
    (["--items", "0"], "--items = 0"),
    (["--items", "-5"], "--items = -5"),
    (["--items", "2147483647"], "--items = 2147483647: must be a whole number in [1, 2147483646]"),
    (["--items", "2147483646"], "--items = 2147483646: must be <= 1048576 for so few interactions"),
    (["--interactions", "0"], "--interactions = 0"),
    (["--interactions", "799"], "--interactions = 799: must be >= 800, one a user"),
    (["--interactions", "480001"], "--interactions = 480001: must be <= 480000, the pairs of 800 users and 600 items"),
    (["--interactions", "many"], "--interactions = many"),
    (["--clusters", "601"], "--clusters = 601: must lie in [1, 600]"),
    (["--clusters", "-1"], "--clusters = -1"),
    (["--dims", "0"], "--dims = 0"),
    (["--image-dims", "-1"], "--image-dims = -1"),
    (["--noise", "1.5"], "--noise = 1.5: must be a number in [0, 1]"),
    (["--noise", "-0.1"], "--noise = -0.1"),
    (["--noise", "nan"], "--noise = nan"),
    (["--noisy-items", "2"], "--noisy-items = 2"),
    (["--bridges", "1e9"], "--bridges = 1e9"),
    (["--seed", "-1"], "--seed = -1"),
    (["--seed", "9223372036854775808"], "--seed = 9223372036854775808"),
    (["--threads", "-1"], "--threads = -1"),
    (["--json", "shop"], "--json = shop: must not be the directory of --out"),
    (["--out", "other"], "--out = shop, other: may be given only once"),
    (["extra"], "extra: unexpected argument"),
    (["--frobnicate"], "--frobnicate: unknown option"),
]


@pytest.mark.parametrize("arguments, message", BAD_OPTIONS, ids=[" ".join(arguments) for arguments, _ in BAD_OPTIONS])
def test_options_that_cannot_be_are_usage_errors(graft, tmp_path, arguments, message):
    done = graft("prepare", "synth", "--out", "shop", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"graft prepare synth: error: {message}")
    assert names(tmp_path) == []


def test_the_directory_must_be_named(graft, tmp_path):
    done = graft("prepare", "synth")
    assert done.returncode == 2
    assert "--out: is required" in done.stderr
    assert names(tmp_path) == []


def test_the_group_alone_prints_its_commands_and_is_a_usage_error(graft):
    done = graft("prepare")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "graft prepare" in done.stderr and "synth" in done.stderr
    done = graft("prepare", "--help")
    assert done.returncode == 0
    assert "synth" in done.stdout and done.stderr == ""
    for word in ["refine", "frobnicate"]:
        done = graft("prepare", word)
        assert done.returncode == 2
        assert word in done.stderr


def test_an_existing_directory_stays_as_it_is_unless_it_is_empty(graft, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for out, message in [("full", "exists and is not empty"), ("file", "exists and is no directory")]:
        done = graft("prepare", "synth", "--out", out)
        assert done.returncode == 1
        assert f"{out}: {message}" in done.stderr
    done = graft("prepare", "synth", "--out", "none/shop")
    assert done.returncode == 1
    assert "none does not exist; create it first" in done.stderr
    assert graft("prepare", "synth", "--out", "empty").returncode == 0
    assert names(tmp_path) == ["empty", "file", "full"]
    assert contents(tmp_path / "full") == {"mine": b"mine"}
    assert graft("prepare", "synth", "--out", "empty").returncode == 1


def test_a_full_disk_leaves_nothing(graft, tmp_path):
    def small_files():
        default_signals()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = graft("prepare", "synth", "--out", "shop", preexec_fn=small_files)
    assert done.returncode == 1
    assert "error: " in done.stderr and "text_feat.npy" in done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [None, "text_feat.npy", "image_feat.npy"])
def test_an_interrupted_run_leaves_nothing(binary, tmp_path, how, after):
    arguments = ["--shape", "electronics", "--dims", "1000", "--threads", "1", "--out", "shop", "--json", "facts.json"]
    process = subprocess.Popen(
        [binary, "prepare", "synth", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=default_signals,
    )
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not list(tmp_path.glob(".graft-*.tmp" + ("" if after is None else f"/{after}"))):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, how)
    out, error = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert out == ""
    assert error.splitlines()[-1] == "graft prepare synth: error: interrupted; nothing was written"
    assert names(tmp_path) == []
