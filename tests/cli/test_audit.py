"""`graft audit`: planted leaks are found, clean inputs pass, what cannot be compared is refused."""

import json
import subprocess

import numpy as np
import pytest
import scipy.sparse as sp

SIZES = "--users 1500 --items 700 --interactions 13000 --dims 24 --image-dims 0 --seed 4".split()


@pytest.fixture(scope="module")
def folder(binary, tmp_path_factory):
    """A folder with the data set `toy`, profiles of training and of all rows, and graphs of both."""
    folder = tmp_path_factory.mktemp("audit")
    refine = ["refine", "--features", "toy/text_feat.npy", "--interactions", "toy/toy.inter"]
    for command in [
        ["prepare", "synth", *SIZES, "--out", "toy"],
        [*refine, "--out", "train.npz"],
        [*refine, "--split", "all", "--out", "all.npz"],
    ]:
        subprocess.run([binary, *command, "--quiet"], cwd=folder, check=True, capture_output=True)
    users, items, labels = np.loadtxt(folder / "toy" / "toy.inter", skiprows=1, dtype=int).T
    features = np.load(folder / "toy" / "text_feat.npy")
    for name, rows in [("clean", labels == 0), ("leaky", labels >= 0)]:
        profile = np.zeros((1500, 24), np.float32)
        np.add.at(profile, users[rows], features[items[rows]])
        np.save(folder / f"{name}.npy", profile)
    np.save(folder / "narrow.npy", np.ones((1500, 7), np.float32))
    np.save(folder / "few.npy", np.ones((20, 24), np.float32))
    np.save(folder / "nan.npy", np.full((1500, 24), np.nan, np.float32))
    sp.save_npz(folder / "other.npz", sp.csr_matrix(np.eye(5, dtype=np.float32)))
    (folder / "bare").mkdir()
    (folder / "bare" / "bare.inter").write_bytes((folder / "toy" / "toy.inter").read_bytes())
    return folder


@pytest.fixture
def audit(graft, folder):
    def run(*arguments, data="toy", code=0):
        done = graft("audit", "--data", data, *arguments, cwd=folder)
        assert done.returncode == code, done.stderr
        return done

    return run


def summary_of(done):
    summary = json.loads(done.stdout)
    summary.pop("seconds")
    return summary


def test_profiles_of_training_rows_are_clean(audit):
    summary = summary_of(audit("--user-features", "clean.npy", "--strict", "--json", "-"))
    assert summary["verdict"] == "clean" and summary["p_value"] >= 0.01
    assert abs(summary["share"]) < 0.01


def test_profiles_of_all_rows_are_a_leak_and_strict_fails(audit):
    summary = summary_of(audit("--user-features", "leaky.npy", "--json", "-"))
    assert summary["verdict"] == "leak" and summary["share"] > 0.7
    done = audit("--user-features", "leaky.npy", "--strict", code=1)
    assert "LEAK" in done.stdout and "error" not in done.stderr


def test_the_verdict_names_what_was_looked_at(audit):
    clean = audit("--user-features", "clean.npy").stdout
    assert "no sign of validation or test interactions in the user vectors" in clean
    assert "no sign of test interactions in the graph" in audit("--graph", "train.npz", "--split", "test").stdout
    assert "interactions in the user vectors than" in audit("--user-features", "leaky.npy").stdout


def test_a_graphs_own_record_is_read(audit):
    leak = summary_of(audit("--graph", "all.npz", "--json", "-"))
    assert leak["verdict"] == "leak" and leak["record"]["origin"] == "held-out"
    clean = summary_of(audit("--graph", "train.npz", "--json", "-"))
    assert clean["verdict"] == "clean" and clean["record"]["origin"] == "train"


def test_a_leak_is_found_without_a_record(audit, folder):
    for name in ("train", "all"):
        sp.save_npz(folder / f"plain-{name}.npz", sp.load_npz(folder / f"{name}.npz"))
    leak = summary_of(audit("--graph", "plain-all.npz", "--json", "-"))
    assert leak["verdict"] == "leak" and leak["record"]["origin"] == "unknown"
    assert summary_of(audit("--graph", "plain-train.npz", "--json", "-"))["verdict"] == "clean"


def test_threads_do_not_change_the_result(audit):
    summaries = [
        summary_of(audit("--user-features", "leaky.npy", "--json", "-", "--threads", threads)) for threads in (1, 2)
    ]
    assert summaries[0] == summaries[1]


ERRORS = [
    (["--user-features", "narrow.npy"], "toy", 1, "same space"),
    (["--user-features", "few.npy"], "toy", 1, "at least 1500 rows"),
    (["--user-features", "nan.npy"], "toy", 1, "row 0"),
    (["--user-features", "clean.npy"], "bare", 1, "--item-features"),
    (["--user-features", "none.npy"], "toy", 1, "--user-features = none.npy: no such file"),
    (["--graph", "other.npz"], "toy", 1, "5"),
    ([], "toy", 2, "--user-features: is required"),
    (["--user-features", "clean.npy", "--graph", "all.npz"], "toy", 2, "--graph: leaves no room"),
    (["--user-features", "clean.npy", "--split", "train"], "toy", 2, "--split = train"),
    (["--user-features", "clean.npy", "--alpha", "1"], "toy", 2, "--alpha = 1"),
    (["--user-features", "clean.npy", "--tolerance", "x"], "toy", 2, "--tolerance = x"),
    (["--user-features", "clean.npy", "--permutations", "50"], "toy", 2, "--permutations = 50"),
    (["--user-features", "clean.npy", "--json", "clean.npy"], "toy", 2, "--json = clean.npy"),
]


@pytest.mark.parametrize("arguments, data, code, message", ERRORS, ids=[error[3] for error in ERRORS])
def test_errors(audit, arguments, data, code, message):
    done = audit(*arguments, data=data, code=code)
    assert message in done.stderr and done.stdout == ""
