"""Training, runs and evaluation."""

import gc
import json
import shutil
import signal
import threading
import time

import numpy as np
import pytest

import graft
from test_calls import run_python
from test_memory import MEBIBYTE
from test_memory import run as measured

USERS, ITEMS = 90, 70
QUICK = {"epochs": 4, "train_batch_size": 256, "embedding_size": 8}
LONG = {**QUICK, "epochs": 400, "stopping_step": 400}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A planted data set with two modalities."""
    folder = tmp_path_factory.mktemp("data") / "toy"
    graft.prepare.synth(folder, users=USERS, items=ITEMS, interactions=1500, text_dims=16, image_dims=12)
    return folder


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    return graft.train("freedom", toy, tmp_path_factory.mktemp("runs") / "run", settings=QUICK)


def results(run):
    """What equal runs have in common: all but times."""
    metrics = {name: value for name, value in run.metrics.items() if name != "seconds_per_epoch"}
    log = {name: column.tolist() for name, column in run.log.items() if not name.endswith("_seconds")}
    return metrics, log, run.user_embeddings.tobytes(), run.item_embeddings.tobytes()


def test_a_run_tells_what_came_out(run, toy):
    assert run.model == "freedom"
    assert run.epochs == 4
    assert 0 <= run.best_epoch < 4
    assert run.seconds_per_epoch > 0
    assert list(run.test) == list(run.valid)
    assert list(run.valid)[:5] == ["recall@5", "recall@10", "recall@20", "recall@50", "ndcg@5"]
    assert run.metrics == json.loads((run.directory / "metrics.json").read_text())
    assert run.config == json.loads((run.directory / "config.json").read_text())
    assert run.valid == run.metrics["valid"]
    assert run.test == run.metrics["test"]
    assert run.report.read_text().startswith("<!DOCTYPE html>")
    assert repr(run) == (
        f"<graft.Run: freedom in '{run.directory}', best epoch {run.best_epoch} of 4, "
        f"test recall@20 {run.test['recall@20']:.4f}>"
    )


def test_the_log_has_a_row_an_epoch(run):
    log = run.log
    assert log["epoch"].tolist() == [0, 1, 2, 3]
    assert all(len(column) == 4 for column in log.values())
    assert np.isfinite(log["loss"]).all()
    assert log["loss"][-1] < log["loss"][0]
    for split, metrics in (("valid", run.valid), ("test", run.test)):
        assert {name: log[f"{split}_{name}"][run.best_epoch] for name in metrics} == metrics
    header = (run.directory / "log.csv").read_text().splitlines()[0].split(",")
    assert set(log) == set(header)


def test_the_log_makes_a_table(run):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(run.log)
    assert len(table) == 4
    assert table["valid_recall@20"].max() == run.valid["recall@20"]


def test_a_run_can_be_opened_again(run):
    again = graft.Run(str(run.directory))
    assert results(again) == results(run)
    assert again.directory == run.directory


def test_embeddings_are_views_that_keep_the_run_alive(run):
    opened = graft.Run(run.directory)
    users = opened.user_embeddings
    assert users.shape == (USERS, 8)
    assert opened.item_embeddings.shape == (ITEMS, 8)
    assert users.dtype == np.float32
    assert np.shares_memory(users, opened.user_embeddings)
    with pytest.raises(ValueError, match="read-only"):
        users[0, 0] = 1
    expected = run.user_embeddings.copy()
    del opened
    gc.collect()
    assert np.array_equal(users, expected)


def test_evaluate_measures_the_vectors_as_training_did(run, toy):
    found = graft.evaluate(run.user_embeddings, run.item_embeddings, toy)
    for split, metrics in (("valid", run.valid), ("test", run.test)):
        assert {name: found[split][name] for name in metrics} == metrics


def test_recommend_ranks_what_a_user_has_not_got(run, toy):
    train = graft.read_inter(toy / "toy.inter", items=ITEMS)
    users = [7, 0, 7, USERS - 1]
    ranking = run.recommend(users, k=6)
    assert isinstance(ranking, graft.Ranking)
    expected = graft.top_k_scores(
        run.user_embeddings[users], run.item_embeddings, k=6, exclude=train.to_scipy()[users].tocsr()
    )
    assert ranking.ids.tolist() == expected.ids.tolist()
    assert ranking.scores.tolist() == expected.scores.tolist()
    assert not set(ranking.row_ids(0)) & set(train.history(7))
    assert len(run.recommend([], k=3)) == 0


def test_recommend_refuses_by_name(run):
    for users in ([USERS], [-1]):
        with pytest.raises(graft.InvalidArgument, match=str(users[0])):
            run.recommend(users)
    with pytest.raises(graft.InvalidArgument, match="k = 0"):
        run.recommend([0], k=0)
    with pytest.raises(TypeError, match=r"Run.recommend: users: dtype float64: must be integers"):
        run.recommend(np.array([0.5]))
    with pytest.raises(graft.InvalidArgument, match="users"):
        run.recommend(3)


def test_data_that_moved_are_found_where_the_caller_says(toy, tmp_path):
    shutil.copytree(toy, tmp_path / "before" / "toy")
    run = graft.train("bpr", tmp_path / "before" / "toy", tmp_path / "run", settings={**QUICK, "epochs": 1})
    expected = run.recommend([1, 2])
    (tmp_path / "before").rename(tmp_path / "after")
    opened = graft.Run(tmp_path / "run")
    with pytest.raises(graft.IoError, match="before"):
        opened.recommend([1, 2])
    assert opened.recommend([1, 2], data=tmp_path / "after" / "toy").ids.tolist() == expected.ids.tolist()
    other = tmp_path / "after" / "toy" / "toy.inter"
    lines = other.read_text().splitlines()
    other.write_text("\n".join([line for line in lines if not line.startswith("1\t")]) + "\n")
    with pytest.raises(graft.FormatError):
        opened.recommend([1, 2], data=tmp_path / "after" / "toy")


def test_a_run_is_a_function_of_arguments_and_seed(run, toy, tmp_path):
    for threads in (1, 2, 3):
        again = graft.train("freedom", toy, tmp_path / str(threads), settings=QUICK, threads=threads)
        assert results(again) == results(run)
    other = graft.train("freedom", toy, tmp_path / "other", settings=QUICK, seed=1000)
    assert results(other)[2] != results(run)[2]


def test_settings_are_python_values(toy, tmp_path):
    settings = {**QUICK, "epochs": np.int64(1), "freeze_feats": True, "reg_weight": np.float32(0.5), "dropout": 0.25}
    run = graft.train("freedom", toy, tmp_path / "run", settings=settings)
    text = json.dumps(run.config)
    for entry in ('"freeze_feats": true', '"reg_weight": 0.5', '"dropout": 0.25', '"epochs": 1'):
        assert entry in text


def test_graphs_and_files_of_ones_own_are_taken(toy, tmp_path):
    features = np.load(toy / "text_feat.npy")
    np.save(tmp_path / "other.npy", features[:, :5])
    graft.knn_graph(features, k=10).save_npz(tmp_path / "similar.npz")
    settings = {**QUICK, "epochs": 1, "reg_weight": 0}
    runs = [
        graft.train("freedom", toy, tmp_path / "plain", settings=settings),
        graft.train("freedom", toy, tmp_path / "refined", settings=settings, graph="refined"),
        graft.train("freedom", toy, tmp_path / "text", settings=settings, features={"text": tmp_path / "other.npy"}),
        graft.train(
            "freedom", toy, tmp_path / "graph", settings=settings, similarity={"image": str(tmp_path / "similar.npz")}
        ),
    ]
    assert len({run.item_embeddings.tobytes() for run in runs}) == len(runs)


def test_train_refuses_by_name(toy, tmp_path):
    def refused(error, match, *arguments, **options):
        with pytest.raises(error, match=match):
            graft.train(*(arguments or ("bpr", toy, tmp_path / "run")), **options)
        assert list(tmp_path.iterdir()) == []

    refused(graft.InvalidArgument, "lightgcn", "ligtgcn", toy, tmp_path / "run")
    refused(
        graft.InvalidArgument,
        "train: settings = learning_rat=0.1: .*did you mean learning_rate",
        settings={"learning_rat": 0.1},
    )
    refused(graft.InvalidArgument, "train: settings = epochs=many: ", settings={"epochs": "many"})
    refused(graft.InvalidArgument, "'a=b'", settings={"a=b": 1})
    refused(graft.InvalidArgument, "train: graph = better: ", graph="better")
    refused(graft.InvalidArgument, "checkpoint_seconds", checkpoint_seconds=-1.0)
    refused(graft.IoError, "absent", "bpr", toy / "absent", tmp_path / "run")
    refused(graft.IoError, "no.npy", "freedom", toy, tmp_path / "run", features={"text": toy / "no.npy"})
    refused(TypeError, "train: model = 3: must be a str", 3, toy, tmp_path / "run")
    refused(TypeError, "train: data = None: must be a str", "bpr", None, tmp_path / "run")
    refused(TypeError, "train: seed = 'x': must be an int", seed="x")
    refused(TypeError, "train: resume = 1: must be a bool", resume=1)
    refused(TypeError, r"train: settings\['epochs'\] = None: must be", settings={"epochs": None})
    refused(TypeError, "train: settings = 'epochs=1': must be a dict", settings="epochs=1")
    refused(TypeError, "train: features = 'a.npy': must be a dict", features="a.npy")
    refused(TypeError, r"train: features\['text'\] = 5: must be", features={"text": 5})
    refused(TypeError, "train: on_epoch = 3: must be", on_epoch=3)


def test_a_directory_that_holds_something_is_left_alone(run, toy, tmp_path):
    with pytest.raises(graft.InvalidArgument, match="resume"):
        graft.train("freedom", toy, run.directory, settings=QUICK)
    (tmp_path / "thesis.tex").write_text("words")
    with pytest.raises(graft.InvalidArgument):
        graft.train("bpr", toy, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_opening_what_is_no_run_says_so(tmp_path):
    with pytest.raises(graft.FormatError, match="absent: holds no run"):
        graft.Run(tmp_path / "absent")
    with pytest.raises(TypeError, match="Run: directory = 3: must be"):
        graft.Run(3)


def test_a_finished_run_is_returned_by_resume(run, toy):
    assert results(graft.train("freedom", toy, run.directory, settings=QUICK, resume=True)) == results(run)


def test_epochs_are_told_on_the_calling_thread(run, toy, tmp_path):
    told = []

    def note(report):
        told.append((report, threading.get_ident(), len((tmp_path / "run" / "log.csv").read_text().splitlines())))

    graft.train("freedom", toy, tmp_path / "run", settings=QUICK, on_epoch=note)
    log = run.log
    assert [report.epoch for report, _, _ in told] == [0, 1, 2, 3]
    assert {thread for _, thread, _ in told} == {threading.get_ident()}
    for report, _, lines in told:
        assert isinstance(report, graft.EpochReport)
        assert report.loss == log["loss"][report.epoch]
        assert report.valid["recall@20"] == log["valid_recall@20"][report.epoch]
        assert lines == report.epoch + 2  # training waits: a header, then the epochs so far
    assert told[run.best_epoch][0].best
    assert not any(report.best for report, _, _ in told[run.best_epoch + 1 :])


def test_what_on_epoch_raises_ends_training_and_resume_goes_on(run, toy, tmp_path):
    seen = []

    def stop(report):
        seen.append(report.epoch)
        if report.epoch == 1:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        graft.train("freedom", toy, tmp_path / "run", settings=QUICK, on_epoch=stop)
    assert seen == [0, 1]
    with pytest.raises(graft.FormatError, match="resume"):
        graft.Run(tmp_path / "run")
    with pytest.warns(graft.Notice, match="goes on at epoch 2"):
        resumed = graft.train(
            "freedom", toy, tmp_path / "run", settings=QUICK, resume=True, on_epoch=lambda told: seen.append(told.epoch)
        )
    assert seen == [0, 1, 2, 3]
    assert results(resumed) == results(run)


def test_a_token_ends_training_and_resume_goes_on(run, toy, tmp_path):
    token = graft.CancelToken()
    context = graft.Context(cancel=token)
    with pytest.raises(graft.Cancelled):
        graft.train(
            "freedom", toy, tmp_path / "run", settings=QUICK, context=context, on_epoch=lambda _: token.cancel()
        )
    with pytest.warns(graft.Notice, match="goes on at epoch 1"):
        resumed = graft.train("freedom", toy, tmp_path / "run", settings=QUICK, resume=True)
    assert results(resumed) == results(run)


INTERRUPTED = """
def begun(report):
    if report.epoch == 0: print("begun", flush=True)
try: graft.train("lightgcn", {data!r}, {out!r}, settings={settings!r}, on_epoch=begun)
except KeyboardInterrupt: print("interrupted")
"""


def test_ctrl_c_leaves_a_run_that_resume_continues(toy, tmp_path):
    process = run_python(INTERRUPTED.format(data=str(toy), out=str(tmp_path / "run"), settings=LONG))
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.1)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err) == ("interrupted\n", "")
    assert time.monotonic() - begin < 5
    with pytest.warns(graft.Notice, match="goes on at epoch [1-9]"):
        resumed = graft.train("lightgcn", toy, tmp_path / "run", settings=LONG, resume=True)
    whole = graft.train("lightgcn", toy, tmp_path / "whole", settings=LONG)
    assert results(resumed) == results(whole)


def test_progress_counts_batches(toy, tmp_path):
    told = []
    for size in (512, 1024, 2048, 4096):  # progress is told ten times a second at most: until an epoch takes a while
        settings = {"epochs": 2, "train_batch_size": 1, "embedding_size": size}
        out = tmp_path / f"run-{size}"
        run = graft.train("freedom", toy, out, settings=settings, progress=lambda *facts: told.append(facts))
        assert run.epochs == 2
        if told:
            break
    rows = graft.read_inter(toy / "toy.inter").size
    assert told
    assert all(operation == "train" and 0 < done <= total == rows for operation, done, total in told)


@pytest.mark.parametrize("tqdm", [True, False])
def test_progress_for_a_person_tells_epochs(toy, tmp_path, tqdm):
    if tqdm:
        pytest.importorskip("tqdm")
    code = "" if tqdm else "import sys\nsys.modules['tqdm'] = sys.modules['tqdm.auto'] = None\n"
    arguments = f"'bpr', {str(toy)!r}, {str(tmp_path / 'run')!r}, settings={QUICK!r}"
    process = run_python(code + f"graft.train({arguments}, progress=True)")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, ""), err
    if tqdm:
        assert "train: " in err
        assert "epoch 3, loss 0." in err
    else:
        lines = [line for line in err.splitlines() if line.startswith("train: epoch ")]
        assert [line.split(",")[0] for line in lines] == [f"train: epoch {epoch}" for epoch in range(4)]
        assert "valid recall@20 0." in lines[0]


def test_notices_are_warnings_at_the_callers_line(toy, tmp_path):
    shutil.copytree(toy, tmp_path / "toy")
    with (tmp_path / "toy" / "toy.inter").open("a") as file:
        first = (toy / "toy.inter").read_text().splitlines()[1]
        file.write(first + "\n")
    with pytest.warns(graft.Notice) as notices:
        graft.train("bpr", tmp_path / "toy", tmp_path / "run", settings={**QUICK, "epochs": 1})
    assert {notice.filename for notice in notices} == {__file__}


def oracle(user_vectors, item_vectors, data, cutoffs):
    """Metrics by sorting everything; small whole numbers have exact scores, so that ties are ties."""
    table = graft.read_inter_table(data / "toy.inter")
    scores = user_vectors.astype(np.float64) @ item_vectors.astype(np.float64).T
    found = {}
    for split, label in (("valid", 1), ("test", 2)):
        sums = {}
        users = np.unique(table.users[table.labels == label])
        for user in users:
            train = set(table.items[(table.users == user) & (table.labels == 0)])
            held = set(table.items[(table.users == user) & (table.labels == label)])
            order = [item for item in np.argsort(-scores[user], kind="stable") if item not in train]
            hits = np.array([item in held for item in order], dtype=np.float64)
            discount = 1 / np.log2(np.arange(len(hits)) + 2)
            for k in cutoffs:
                best = min(k, len(held))
                upto = np.cumsum(hits) / np.arange(1, len(hits) + 1)
                values = {
                    "recall": hits[:k].sum() / len(held),
                    "ndcg": (hits * discount)[:k].sum() / discount[:best].sum(),
                    "precision": hits[:k].sum() / k,
                    "map": (hits * upto)[:k].sum() / best,
                }
                for name, value in values.items():
                    sums[f"{name}@{k}"] = sums.get(f"{name}@{k}", 0.0) + value
        found[split] = {name: value / len(users) for name, value in sums.items()}
    return found


def test_evaluate_agrees_with_sorting_everything(toy):
    random = np.random.default_rng(4)
    users = random.integers(-3, 4, (USERS, 3)).astype(np.float64)
    items = random.integers(-3, 4, (ITEMS, 3)).astype(np.float32)
    cutoffs = (1, 7, 30)
    found = graft.evaluate(users, items, toy, cutoffs=cutoffs, threads=1)
    for split, metrics in oracle(users, items, toy, cutoffs).items():
        assert {name: found[split][name] for name in metrics} == pytest.approx(metrics, abs=1e-12)
        for groups in (found[split]["by_activity"], found[split]["by_popularity"]):
            assert len(groups) >= 2
        members = [group["members"] for group in found[split]["by_activity"]]
        assert sum(members) == found[split]["users"]
        mean = sum(group["members"] * group["recall@7"] for group in found[split]["by_activity"]) / sum(members)
        assert mean == pytest.approx(found[split]["recall@7"], abs=1e-12)
    table = graft.read_inter_table(toy / "toy.inter")
    assert found["test"]["interactions"] == np.count_nonzero(table.labels == 2)
    assert set(found["catalogue"]) == {f"{name}@{k}" for name in ("coverage", "gini") for k in cutoffs}
    assert found == graft.evaluate(users, items, toy, cutoffs=cutoffs, threads=2)


def test_evaluate_leaves_groups_out_on_demand(toy):
    vectors = np.ones((USERS, 2), dtype=np.float32), np.ones((ITEMS, 2), dtype=np.float32)
    found = graft.evaluate(*vectors, toy, groups=False)
    assert found["test"]["by_activity"] == found["test"]["by_popularity"] == []
    assert 0 < found["test"]["recall@50"] <= 1


def test_evaluate_ranks_new_items_among_themselves(toy, tmp_path):
    table = graft.read_inter_table(toy / "toy.inter")
    labels = np.where(table.items < 4, 1 + table.items % 2, 0)
    rows = np.column_stack([table.users, table.items, labels])
    (tmp_path / "cold").mkdir()
    header = "userID\titemID\tx_label"
    np.savetxt(tmp_path / "cold" / "cold.inter", rows, fmt="%d", delimiter="\t", header=header, comments="")
    vectors = np.ones((USERS, 2), dtype=np.float32), np.arange(ITEMS * 2, dtype=np.float32).reshape(ITEMS, 2)
    found = graft.evaluate(*vectors, tmp_path / "cold", cutoffs=(1, 2), candidates="cold")
    for split, items in (("valid", (0, 2)), ("test", (1, 3))):
        assert found[split]["candidates"] == 2 and found[split]["recall@2"] == 1
        each = [rows[(rows[:, 0] == user) & np.isin(rows[:, 1], items), 1] for user in range(USERS)]
        best_first = [np.mean(own == items[1]) for own in each if own.size]
        assert found[split]["recall@1"] == pytest.approx(np.mean(best_first))
    assert graft.evaluate(*vectors, tmp_path / "cold", cutoffs=(1,))["test"]["candidates"] == ITEMS
    with pytest.raises(graft.InvalidArgument, match="candidates = 'warm'"):
        graft.evaluate(*vectors, tmp_path / "cold", candidates="warm")  # type: ignore[arg-type]


def test_evaluate_refuses_by_name(toy):
    users, items = np.ones((USERS, 2), dtype=np.float32), np.ones((ITEMS, 2), dtype=np.float32)
    broken = users.copy()
    broken[3, 1] = np.nan
    with pytest.raises(graft.InvalidArgument, match="3"):
        graft.evaluate(broken, items, toy)
    with pytest.raises(graft.InvalidArgument, match=str(USERS)):
        graft.evaluate(users[:-1], items, toy)
    with pytest.raises(ValueError, match=str(ITEMS - 1)):
        graft.evaluate(users, items[:-1], toy)
    with pytest.raises(graft.InvalidArgument, match="0"):
        graft.evaluate(users, items, toy, cutoffs=(0,))
    with pytest.raises(TypeError, match="evaluate: cutoffs: dtype float64: must be integers"):
        graft.evaluate(users, items, toy, cutoffs=(5.5,))
    with pytest.raises(TypeError, match="evaluate: groups = 1: must be a bool"):
        graft.evaluate(users, items, toy, groups=1)
    with pytest.raises(graft.IoError, match="absent"):
        graft.evaluate(users, items, toy / "absent")


def test_models_have_names_and_settings():
    models = graft.models()
    names = [model.name for model in models]
    assert {"bpr", "lightgcn", "freedom"} <= set(names)
    assert len(set(names)) == len(names)
    for model in models:
        assert model.description
        settings = {setting.name: setting for setting in model.settings}
        assert len(settings) == len(model.settings)
        assert settings["epochs"].default_value == "1000"
        assert all(setting.description for setting in model.settings)


def test_training_leaves_no_memory_behind(toy, tmp_path):
    arguments = f"'lightgcn', {str(toy)!r}, {str(tmp_path / 'run')!r}, settings={QUICK!r}"
    growths = measured(f"""
import gc, shutil, graft
def work():
    run = graft.train({arguments}, on_epoch=lambda _: None)
    run.recommend([0, 1]), run.user_embeddings, run.log
    graft.evaluate(run.user_embeddings, run.item_embeddings, {str(toy)!r})
    shutil.rmtree(run.directory)
for _ in range(10): work()
for _ in range(3):
    gc.collect(); before = now()
    for _ in range(20): work()
    gc.collect(); print(now() - before)
""")
    assert min(growths) < MEBIBYTE // 2


def test_doubtful_user_vectors_mark_a_run_and_others_are_refused(toy, tmp_path):
    vectors = tmp_path / "users.npy"
    np.save(vectors, np.random.default_rng(0).standard_normal((USERS, 5)).astype(np.float32))
    settings = {"epochs": 1, "train_batch_size": 256, "feat_embed_dim": 8}
    with pytest.raises(graft.InvalidArgument, match="user_history train"):
        graft.train("mllmrec", toy, tmp_path / "refused", user_profile=vectors, settings=settings)
    with pytest.warns(graft.Notice, match="user_history all"):
        marked = graft.train(
            "mllmrec", toy, tmp_path / "marked", user_profile=vectors, user_history="all", settings=settings
        )
    assert marked.notices == [marked.metrics["warning"]]
    assert graft.Run(marked.directory).notices == marked.notices
    honest = graft.train("mllmrec", toy, tmp_path / "honest", user_profile="mean", settings=settings)
    assert honest.notices == []
    assert honest.config["users"] == {"profile": "mean", "history": "train", "history_known_by": "graft"}
