"""`graft train`: runs, their files, and that nothing but the data, the options and the seed decides them."""

import csv
import json
import os
import pty
import random
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import scipy.sparse as sp

from conftest import default_signals, save_graph, write_inter
from test_interrupt import read_until

FILES = [
    "checkpoint.bin",
    "config.json",
    "item_embeddings.npy",
    "log.csv",
    "metrics.json",
    "report.html",
    "user_embeddings.npy",
]
SECONDS_TO_WAIT = 120
SMALL = ["--set", "embedding_size=8", "--set", "train_batch_size=64"]
SMALL_MLLMREC = ["--set", "feat_embed_dim=8", "--set", "train_batch_size=64"]
SMALL_OF = {"mllmrec": ["--set", "feat_embed_dim=8", "--set", "train_batch_size=64"]}


@pytest.fixture(scope="module")
def toy_data(binary, tmp_path_factory):
    """A planted data set: 120 users, 60 items, two modalities."""
    folder = tmp_path_factory.mktemp("data") / "toy"
    sizes = "--users 120 --items 60 --interactions 1000 --dims 12 --image-dims 6".split()
    subprocess.run([binary, "prepare", "synth", *sizes, "--out", folder, "--quiet"], check=True)
    return folder


@pytest.fixture
def train(graft, tmp_path, toy_data):
    """Trains into a fresh directory, which must succeed; returns the directory."""
    count = 0

    def run(model, *arguments, out=None, data=toy_data):
        nonlocal count
        count += 1
        out = out or tmp_path / f"run-{count}"
        done = graft("train", "--model", model, "--data", data, "--out", out, *SMALL_OF.get(model, SMALL), *arguments)
        assert done.returncode == 0, done.stderr
        return out

    return run


def metrics_of(run):
    """metrics.json without the only number that may differ between equal runs."""
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics.pop("seconds_per_epoch") >= 0
    return metrics


def log_of(run):
    """The rows of log.csv without times."""
    with open(run / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("train_seconds", "evaluation_seconds"):
            assert float(row.pop(column)) >= 0
    return rows


def assert_same_run(one, other):
    assert metrics_of(one) == metrics_of(other)
    assert log_of(one) == log_of(other)
    for name in ("user_embeddings.npy", "item_embeddings.npy"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def model_names(graft):
    return [model["name"] for model in json.loads(graft("train", "--list", "--json", "-").stdout)["models"]]


def test_list_shows_models_and_settings(graft):
    text = graft("train", "--list").stdout
    names = model_names(graft)
    assert {"bpr", "lightgcn", "freedom"} <= set(names)
    for word in (*names, "learning_rate", "0.001", "stopping_step", "every model", "reg_weight"):
        assert word in text
    one = graft("train", "--list", "--model", "freedom").stdout
    assert "mm_image_weight" in one and "learning_rate" in one and "lightgcn" not in one
    done = graft("train", "--list", "--model", "fredom")
    assert done.returncode == 2
    assert "did you mean freedom?" in done.stderr


def test_every_model_trains_and_leaves_a_whole_run(graft, train):
    for model in model_names(graft):
        run = train(model, "--set", "epochs=2")
        assert sorted(path.name for path in run.iterdir()) == FILES
        metrics = metrics_of(run)
        assert metrics["model"] == model and metrics["seed"] == 999
        assert metrics["epochs"] == 2 and metrics["best_epoch"] in (0, 1) and metrics["stopped"] == "epochs"
        for split in ("valid", "test"):
            names = {f"{name}@{k}" for name in ("recall", "ndcg", "precision", "map") for k in (5, 10, 20, 50)}
            assert set(metrics[split]) == names
            assert all(0 <= value <= 1 for value in metrics[split].values())
        assert [row["epoch"] for row in log_of(run)] == ["0", "1"]
        best = log_of(run)[metrics["best_epoch"]]
        assert float(best["valid_recall@20"]) == metrics["valid"]["recall@20"]
        assert np.load(run / "user_embeddings.npy").shape[0] == 120
        assert np.load(run / "item_embeddings.npy").shape[0] == 60
        page = (run / "report.html").read_text()
        ElementTree.fromstring(page.split("\n", 1)[1])
        assert model in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_training_learns(train):
    metrics = metrics_of(train("lightgcn", "--set", "epochs=40", "--set", "learning_rate=0.01"))
    log = metrics["valid"]["recall@20"]
    assert log > 1.2 * 20 / 60  # by chance: less than 20 of 60 items


def test_evaluate_measures_a_run_as_training_did(graft, train):
    run = train("freedom", "--set", "epochs=3")
    done = graft("evaluate", "--run", run, "--json", "-")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    metrics = metrics_of(run)
    for key in ("valid", "test", "groups", "catalogue"):
        assert summary[key] == metrics[key]
    assert summary["notices"] == []
    assert "recall" in done.stderr  # the table, where standard output is the machine's


def test_new_items_are_ranked_among_themselves(graft, train, toy_data, tmp_path):
    users, items, _ = np.loadtxt(toy_data / "toy.inter", skiprows=1, dtype=int).T
    cold = tmp_path / "cold"
    cold.mkdir()
    write_inter(cold / "cold.inter", users, items, np.select([items % 10 == 0, items % 10 == 1], [1, 2], 0))
    for features in toy_data.glob("*_feat.npy"):
        (cold / features.name).write_bytes(features.read_bytes())
    run = train("freedom", "--set", "epochs=2", "--set", "candidates=cold", data=cold)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["candidates"] == "cold" and metrics["groups"]["test"]["candidates"] == 6
    assert metrics["test"]["recall@20"] == 1  # all six fit the list
    assert "without a training row are ranked" in (run / "report.html").read_text()
    own, among_all = (
        json.loads(graft("evaluate", "--run", run, "--json", "-", "--quiet", *options).stdout)
        for options in ([], ["--candidates", "all"])
    )
    assert own["candidates"] == "cold" and own["test"] == metrics["test"]
    assert among_all["candidates"] == "all" and among_all["test"]["recall@20"] < 1

    warm = tmp_path / "warm"
    warm.mkdir()
    write_inter(warm / "warm.inter", [0, 0, 1, 1, 0, 1], [0, 1, 1, 2, 2, 0], [0, 0, 0, 0, 1, 2])
    done = graft("train", "--model", "bpr", "--data", warm, "--out", tmp_path / "none", "--set", "candidates=cold")
    assert done.returncode == 1 and "candidates" in done.stderr and "cold" in done.stderr
    assert not (tmp_path / "none" / "metrics.json").exists()


def test_evaluate_says_when_the_split_is_another(graft, train, toy_data, tmp_path):
    run = train("bpr", "--set", "epochs=1")
    other = tmp_path / "other"
    other.mkdir()
    table = np.loadtxt(toy_data / "toy.inter", skiprows=1, dtype=int)
    labels = np.where(table[:, 2] == 0, 0, 3 - table[:, 2])
    write_inter(other / "other.inter", table[:, 0], table[:, 1], labels)
    done = graft("evaluate", "--run", run, "--data", other, "--json", "-", "--quiet")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert any("is not the split" in notice for notice in summary["notices"])
    assert summary["test"] == metrics_of(run)["valid"]


def test_equal_runs_are_equal_for_any_number_of_threads(train):
    runs = [train("freedom", "--set", "epochs=4", "--threads", threads) for threads in (1, 2, 1)]
    assert_same_run(runs[0], runs[1])
    assert_same_run(runs[0], runs[2])


def test_seed_settings_and_graph_change_the_run(train):
    plain = metrics_of(train("freedom", "--set", "epochs=4"))["valid"]
    others = [
        ["--seed", "7"],
        ["--set", "learning_rate=0.01"],
        ["--graph", "refined"],
        ["--graph", "refined", "--set", "gr_threshold=0.9"],
    ]
    seen = [plain] + [metrics_of(train("freedom", "--set", "epochs=4", *other))["valid"] for other in others]
    assert all(one != other for i, one in enumerate(seen) for other in seen[:i])


def test_refinement_switched_off_is_the_vanilla_run(train):
    plain = train("freedom", "--set", "epochs=2")
    off = ["--graph", "refined", "--set", "gr_threshold=-1", "--set", "gr_jaccard_k=0"]
    refined, vanilla = (metrics_of(run) for run in (train("freedom", "--set", "epochs=2", *off), plain))
    told = [[(graph["name"], graph["edges"]) for graph in metrics.pop("graphs")] for metrics in (refined, vanilla)]
    assert refined == vanilla
    assert told[0] == told[1]
    assert [name for name, _ in told[0]] == ["image", "text", "items"]


def test_features_and_similarities_of_the_command_line(train, toy_data, tmp_path):
    text = np.load(toy_data / "text_feat.npy")
    np.save(tmp_path / "mine.npy", text[:, ::-1])
    similarity = text @ text.T
    np.fill_diagonal(similarity, 0)
    save_graph(tmp_path / "text.npz", sp.csr_matrix(np.where(similarity > 0.1, similarity, 0)))
    features = train("freedom", "--set", "epochs=1", "--features", f"text={tmp_path / 'mine.npy'}")
    graph = train("freedom", "--set", "epochs=1", "--similarity", f"text={tmp_path / 'text.npz'}")
    for run, role, name in [(features, "features text", "mine.npy"), (graph, "similarity text", "text.npz")]:
        inputs = {i["role"]: i for i in json.loads((run / "config.json").read_text())["inputs"]}
        assert set(inputs) == {"interactions", role, "features image"}
        assert inputs[role]["path"].endswith(name)


def test_the_text_tells_data_hashes_settings_and_metrics(graft, toy_data):
    done = graft("train", "--model", "bpr", "--data", toy_data, "--out", "run", *SMALL, "--set", "epochs=2")
    assert done.returncode == 0
    config = json.loads((toy_data / "dataset.json").read_text())
    hashes = {file["name"]: file["sha256"] for file in config["files"]}
    for word in (hashes["toy.inter"], hashes["text_feat.npy"], "120 users, 60 items", "learning_rate", "recall"):
        assert word in done.stdout
    assert "best epoch" in done.stdout and "report.html" in done.stdout
    assert re.search(r"graft train: epoch 0: loss 0\.\d+, valid recall@20 0\.\d+", done.stderr)
    assert "\r" not in done.stderr


def test_json_is_alone_on_standard_output(graft, toy_data, tmp_path):
    arguments = ["train", "--model", "bpr", "--data", toy_data, *SMALL, "--set", "epochs=1"]
    done = graft(*arguments, "--out", "one", "--json", "-")
    assert done.returncode == 0
    summary = json.loads(done.stdout)
    assert summary["command"] == "train" and summary["run"] == "one"
    assert summary["metrics"] == json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert summary["config"] == json.loads((tmp_path / "one" / "config.json").read_text())
    assert summary["config"]["settings"]["train_batch_size"] == 64
    done = graft(*arguments, "--out", "two", "--json", "summary.json", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "summary.json").read_text())["run"] == "two"


USAGE_ERRORS = [
    (["--model", "fredom"], "--model = fredom", "did you mean freedom?"),
    (["--model", "freedom", "--set", "knnk=3"], "--set = knnk=3", "did you mean knn_k?"),
    (["--model", "freedom", "--set", "knn_k=0"], "--set = knn_k=0", "must be"),
    (["--model", "freedom", "--set", "knn_k"], "--set = knn_k", "KEY=VALUE"),
    (["--model", "bpr", "--graph", "refined"], "--graph = refined", "no item graph"),
    (["--model", "bpr", "--graph", "fancy"], "--graph = fancy", "vanilla, refined"),
    (["--model", "bpr", "--seed", "-1"], "--seed = -1", "must be"),
    (["--model", "bpr", "--checkpoint-seconds", "-1"], "--checkpoint-seconds = -1", "must be"),
    (["--model", "bpr", "--features", "x.npy"], "--features = x.npy", "NAME=PATH"),
    (["--model", "bpr", "--features", "a b=x.npy"], "--features = a b=x.npy", "letters, digits"),
    (["--model", "bpr", "--features", "a=x.npy", "--similarity", "a=y.npz"], "--similarity = a=y.npz", "only once"),
    ([], "--model: is required", "--list"),
]


@pytest.mark.parametrize("arguments, start, mend", USAGE_ERRORS, ids=[start for _, start, _ in USAGE_ERRORS])
def test_usage_errors_leave_nothing(graft, toy_data, tmp_path, arguments, start, mend):
    done = graft("train", "--data", toy_data, "--out", "run", *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"graft train: error: {start}") and mend in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert not (tmp_path / "run").exists()


def test_out_and_data_are_required(graft, toy_data):
    done = graft("train", "--model", "bpr", "--data", toy_data)
    assert (done.returncode, done.stdout) == (2, "") and "--out: is required" in done.stderr
    done = graft("train", "--model", "bpr", "--out", "run")
    assert (done.returncode, done.stdout) == (2, "") and "--data: is required" in done.stderr


def refusal(graft, tmp_path, *arguments):
    """What a run says that fails for its data; it leaves nothing behind."""
    done = graft("train", "--model", "freedom", "--out", "run", *arguments)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert not (tmp_path / "run").exists()
    return done.stderr


def test_bad_data_are_refused_before_training(graft, toy_data, tmp_path):
    assert "--data = nowhere: no such directory" in refusal(graft, tmp_path, "--data", "nowhere")
    np.save(tmp_path / "short.npy", np.ones((59, 3), dtype=np.float32))
    message = refusal(graft, tmp_path, "--data", toy_data, "--features", "short=short.npy")
    assert "short.npy" in message and "59" in message and "60" in message
    np.save(tmp_path / "bad.npy", np.where(np.arange(60 * 3).reshape(60, 3) == 14, np.nan, 1).astype(np.float32))
    message = refusal(graft, tmp_path, "--data", toy_data, "--features", "bad=bad.npy")
    assert "bad.npy" in message and "row 4" in message and "column 2" in message
    (tmp_path / "flat").mkdir()
    write_inter(tmp_path / "flat" / "flat.inter", [0, 1, 2], [0, 1, 2])
    assert "graft prepare split" in refusal(graft, tmp_path, "--data", "flat")


def test_a_directory_that_holds_something_is_left_alone(graft, train, toy_data, tmp_path):
    run = train("bpr", "--set", "epochs=1")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    again = ["train", "--model", "bpr", "--data", toy_data, *SMALL, "--set", "epochs=1", "--out"]
    done = graft(*again, run)
    assert done.returncode == 1 and "(resume)" in done.stderr
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    done = graft(*again, "full")
    assert done.returncode == 1 and "not empty" in done.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_resume_of_a_finished_run(graft, train, toy_data):
    run = train("bpr", "--set", "epochs=2")
    before = (run / "metrics.json").read_bytes()
    train("bpr", "--set", "epochs=2", "--resume", out=run)
    assert (run / "metrics.json").read_bytes() == before
    train("bpr", "--set", "epochs=5", "--resume", out=run)
    assert_same_run(run, train("bpr", "--set", "epochs=5"))
    done = graft("train", "--model", "bpr", "--data", toy_data, "--out", run, *SMALL, "--seed", "4", "--resume")
    assert done.returncode == 1 and "seed" in done.stderr


LONG = ["--set", "epochs=60", "--set", "stopping_step=1000"]


@pytest.fixture
def start(binary, toy_data, tmp_path):
    """Starts a run of many epochs that another process may end."""
    started = []

    def begin(out, *arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        command = [binary, "train", "--model", "freedom", "--data", toy_data, "--out", out, *SMALL, *LONG, *arguments]
        process = subprocess.Popen(command, cwd=tmp_path, preexec_fn=default_signals, **options)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for_epochs(run, count):
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not (run / "log.csv").exists() or len((run / "log.csv").read_text().splitlines()) <= count:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_two_processes_do_not_train_into_one_directory(start, train, tmp_path):
    run = tmp_path / "shared"
    first = start(run)
    wait_for_epochs(run, 2)
    first.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    second = start(run, "--resume")
    _, errors = second.communicate(timeout=SECONDS_TO_WAIT)
    assert second.returncode == 1 and f"out = {run}: another process is training there" in errors
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    first.send_signal(signal.SIGCONT)
    assert first.wait(timeout=SECONDS_TO_WAIT) == 0
    assert_same_run(run, train("freedom", *LONG))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on_and_does(start, train, tmp_path, how):
    whole = train("freedom", *LONG)
    run = tmp_path / "interrupted"
    process = start(run)
    wait_for_epochs(run, 3)
    process.send_signal(how)
    output, errors = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130, errors
    last = errors.splitlines()[-1]
    assert last.startswith("graft train: error: interrupted; ") and "--resume" in last
    assert "nothing was written" not in errors
    assert json.loads((run / "metrics.json").read_text())["stopped"] == "interrupted"
    assert 3 <= len(log_of(run)) < 60
    train("freedom", *LONG, "--resume", out=run)
    assert_same_run(run, whole)


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(start, train, tmp_path):
    many = [*LONG, "--set", "epochs=400"]
    whole = train("freedom", *many)
    run = tmp_path / "killed"
    draw = random.Random(3)
    killed = 0
    while killed < 20:
        process = start(run, *many, "--resume", "--checkpoint-seconds", draw.choice(["0", "0.005", "0.03"]))
        try:
            process.communicate(timeout=draw.uniform(0.01, 0.12))
            break  # it has come to its end
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
    assert killed >= 3
    train("freedom", *many, "--resume", out=run)
    assert_same_run(run, whole)
    assert sorted(path.name for path in run.iterdir()) == FILES


def test_the_bar_shows_epoch_loss_and_quality(binary, toy_data, tmp_path):
    screen, terminal = pty.openpty()
    arguments = ["--set", "train_batch_size=1", "--set", "epochs=100000", "--set", "stopping_step=100000"]
    process = subprocess.Popen(
        [binary, "train", "--model", "freedom", "--data", toy_data, "--out", "run", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm"},
        preexec_fn=default_signals,
    )
    os.close(terminal)
    try:
        shown = read_until(screen, b"best 0.")
        process.send_signal(signal.SIGINT)
        rest = read_until(screen, None)
        assert process.wait(SECONDS_TO_WAIT) == 130
    finally:
        process.kill()
        process.communicate()
        os.close(screen)
    assert b"[" in shown and b"%" in shown and b"epoch " in shown and b"loss 0." in shown and b"recall@20 0." in shown
    assert b"\n" not in shown
    assert rest.rsplit(b"\r\x1b[K", 1)[1].startswith(b"graft train: error: interrupted; ")


def test_help_has_an_example_and_every_option(graft):
    text = graft("train", "--help").stdout
    options = (
        "--model --data --graph --features --similarity --set --seed --out --resume --checkpoint-seconds --threads"
    )
    for option in (*options.split(), "--json", "--quiet", "--list", "Example", "=999", "=vanilla", "=60"):
        assert option in text
