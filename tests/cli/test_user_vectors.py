"""`graft train --user-profile`: vectors of users that may hold held-out interactions are refused, or marked."""

import json
import subprocess

import numpy as np
import pytest

USERS, ITEMS = 60, 40
SMALL = ["--set", "feat_embed_dim=8", "--set", "train_batch_size=64", "--set", "epochs=2"]


@pytest.fixture(scope="module")
def data(binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "toy"
    sizes = f"--users {USERS} --items {ITEMS} --interactions 500 --dims 12 --image-dims 0".split()
    subprocess.run([binary, "prepare", "synth", *sizes, "--out", folder, "--quiet"], check=True)
    return folder


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "users.npy"
    np.save(path, np.random.default_rng(1).standard_normal((USERS, 5)).astype(np.float32))
    return path


@pytest.fixture
def train(graft, data, tmp_path):
    def run(*arguments, out="run", model="mllmrec"):
        small = SMALL if model == "mllmrec" else []
        return graft("train", "--model", model, "--data", data, "--out", tmp_path / out, *small, *arguments)

    return run


def test_file_without_sidecar_is_refused_with_the_mend(train, vectors, tmp_path):
    done = train("--user-profile", vectors)
    assert done.returncode == 1
    for part in ("users.npy.json", "user_profile mean", "user_history train", "unknown or all"):
        assert part in done.stderr
    assert not (tmp_path / "run").exists()


def test_sidecar_of_this_split_is_enough(train, vectors, tmp_path):
    assert train("--user-profile", "mean", out="mean").returncode == 0
    split = json.loads((tmp_path / "mean" / "config.json").read_text())["data"]["split_sha256"]
    sidecar = tmp_path / "users.npy.json"
    sidecar.write_text(json.dumps({"policy": "train", "split_sha256": split}))
    done = train("--user-profile", vectors)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout
    assert "warning" not in json.loads((tmp_path / "run" / "metrics.json").read_text())
    sidecar.write_text(json.dumps({"policy": "all", "split_sha256": split}))
    assert train("--user-profile", vectors, out="other").returncode == 1


@pytest.mark.parametrize("history", ["unknown", "all"])
def test_doubtful_vectors_mark_every_output(graft, train, vectors, tmp_path, history):
    done = train("--user-profile", vectors, "--user-history", history, "--json", tmp_path / "summary.json")
    assert done.returncode == 0, done.stderr
    run, word = tmp_path / "run", f"user_history {history}"
    assert word in done.stdout and word in done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["metrics"]["user_history"] == history and word in summary["metrics"]["warning"]
    assert summary["config"]["users"] == {"profile": "file", "history": history, "history_known_by": "stated"}
    assert 'class="banner"' in (run / "report.html").read_text()
    evaluated = graft("evaluate", "--run", run, "--json", tmp_path / "evaluation.json")
    assert word in evaluated.stdout
    assert word in json.loads((tmp_path / "evaluation.json").read_text())["warning"]
    recommended = graft("recommend", "--run", run, "--user", "1", "--json", "-")
    assert word in recommended.stderr and word in json.loads(recommended.stdout)["warning"]
    alone = graft(
        "evaluate",
        "--users",
        run / "user_embeddings.npy",
        "--items",
        run / "item_embeddings.npy",
        "--data",
        json.loads((run / "config.json").read_text())["data"]["directory"],
    )
    assert alone.returncode == 0 and f"policy {history}" in alone.stdout


@pytest.mark.parametrize(
    ("model", "arguments", "parts"),
    [
        ("bpr", ["--user-profile", "mean"], ["--user-profile = mean", "bpr reads no vectors of users"]),
        ("mllmrec", ["--user-profile", "mean", "--set", "user_vectors=table"], ["with these settings"]),
        ("mllmrec", ["--user-history", "all"], ["--user-history = all", "built from training rows"]),
        ("mllmrec", ["--user-profile", "mean", "--user-history", "most"], ["must be train, unknown or all"]),
    ],
)
def test_misuse_is_a_usage_error(train, model, arguments, parts):
    done = train(*arguments, model=model)
    assert done.returncode == 2
    assert all(part in done.stderr for part in parts), done.stderr


def test_threads_and_kinds_of_profiles(train, tmp_path):
    results = {}
    for profile in ("mean", "sum", "random"):
        for threads in ("1", "2"):
            out = f"{profile}-{threads}"
            done = train("--user-profile", profile, "--graph", "refined", "--threads", threads, out=out)
            assert done.returncode == 0, done.stderr
            results[profile, threads] = (tmp_path / out / "user_embeddings.npy").read_bytes()
        assert results[profile, "1"] == results[profile, "2"]
    assert len(set(results.values())) == 3
