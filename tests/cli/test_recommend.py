"""`graft recommend`: ranked lists of a run."""

import json
import subprocess

import numpy as np
import pytest

from ranking_oracle import histories


@pytest.fixture(scope="module")
def folder(binary, tmp_path_factory):
    """A folder with the data set `toy` and the run `run`."""
    folder = tmp_path_factory.mktemp("recommend")
    sizes = "--users 80 --items 50 --interactions 600 --dims 8 --image-dims 0".split()
    commands = [
        ["prepare", "synth", *sizes, "--out", "toy"],
        ["train", "--model", "lightgcn", "--data", "toy", "--out", "run", "--set", "epochs=3"],
    ]
    for command in commands:
        subprocess.run([binary, *command, "--quiet"], cwd=folder, check=True)
    return folder


@pytest.fixture
def recommend(graft, folder):
    def run(*arguments, code=0):
        done = graft("recommend", "--run", "run", *arguments, cwd=folder)
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def expected(folder):
    """For every user the items in order, training items left out."""
    users, items, labels = np.loadtxt(folder / "toy" / "toy.inter", skiprows=1, dtype=int).T
    train = histories(users, items, labels, 0)
    scores = np.load(folder / "run" / "user_embeddings.npy") @ np.load(folder / "run" / "item_embeddings.npy").T
    result = {}
    for user in range(80):
        order = np.argsort(-scores[user].astype(np.float64), kind="stable")
        result[user] = [(int(i), float(scores[user, i])) for i in order if i not in set(train[user])]
    return result


def assert_list(items, scores, expected, k):
    assert len(items) == len(scores) == min(k, len(expected))
    assert scores == sorted(scores, reverse=True)
    np.testing.assert_allclose(scores, [score for _, score in expected[:k]], rtol=1e-4, atol=1e-7)
    known = dict(expected)
    assert all(known[item] == pytest.approx(score, rel=1e-4, abs=1e-7) for item, score in zip(items, scores))
    assert len(set(items)) == len(items)


def test_lists_hold_the_best_items_without_training_items(recommend, expected):
    summary = json.loads(recommend("--user", "3", "--user", "0,79", "-k", "7", "--json", "-").stdout)
    assert [entry["user"] for entry in summary["lists"]] == [3, 0, 79]
    for entry in summary["lists"]:
        assert_list(entry["items"], entry["scores"], expected[entry["user"]], 7)
    assert summary["command"] == "recommend" and summary["recommendations"] == 21


def test_the_table_has_rank_item_and_score(recommend, expected):
    text = recommend("--user", "5", "-k", "3", "--quiet").stdout
    title, header, *rows = text.splitlines()
    assert title == "user 5"
    assert header.split() == ["rank", "item", "score"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert_list([int(r.split()[1]) for r in rows], [float(r.split()[2]) for r in rows], expected[5], 3)


def test_all_writes_a_table_of_every_user(recommend, expected, folder):
    done = recommend("--all", "--out", "lists.tsv", "-k", "4")
    assert "lists.tsv" in done.stdout
    header, *rows = (folder / "lists.tsv").read_text().splitlines()
    assert header.split("\t") == ["userID", "itemID", "rank", "score"]
    lists = {}
    for user, item, rank, score in (row.split("\t") for row in rows):
        lists.setdefault(int(user), []).append((int(item), float(score)))
        assert int(rank) == len(lists[int(user)])
    assert list(lists) == list(range(80))
    for user, entries in lists.items():
        assert_list([item for item, _ in entries], [score for _, score in entries], expected[user], 4)


def test_json_lines_hold_the_same_lists(recommend, folder):
    recommend("--all", "--out", "lists.tsv", "-k", "5")
    recommend("--all", "--out", "lists.jsonl", "-k", "5", "--threads", "2")
    from_table = {}
    for row in (folder / "lists.tsv").read_text().splitlines()[1:]:
        user, item, _, score = row.split("\t")
        items, scores = from_table.setdefault(int(user), ([], []))
        items.append(int(item))
        scores.append(float(score))
    lines = [json.loads(line) for line in (folder / "lists.jsonl").read_text().splitlines()]
    assert {line["user"]: (line["items"], line["scores"]) for line in lines} == from_table


def test_k_above_the_candidates_gives_them_all(recommend, expected):
    entry = json.loads(recommend("--user", "1", "-k", "1000", "--json", "-").stdout)["lists"][0]
    assert_list(entry["items"], entry["scores"], expected[1], 1000)
    assert len(entry["items"]) < 50


def test_an_unknown_user_is_refused_and_no_file_is_left(recommend, folder):
    done = recommend("--user", "80", "--out", "none.tsv", code=1)
    assert "--user = 80" in done.stderr and "[0, 79]" in done.stderr
    assert done.stdout == "" and not (folder / "none.tsv").exists()


USAGE_ERRORS = [
    ([], "--user: is required"),
    (["--user", "x"], "--user = x"),
    (["--user", "-1"], "--user = -1"),
    (["--user", "1,"], "--user = :"),
    (["--all"], "--out: is required with --all"),
    (["--all", "--user", "1", "--out", "x.tsv"], "--all: leaves no room for --user"),
    (["--user", "1", "-k", "0"], "-k = 0"),
    (["--user", "1", "--out", "x.tsv", "--json", "x.tsv"], "--json = x.tsv"),
]


@pytest.mark.parametrize("arguments, message", USAGE_ERRORS, ids=[message for _, message in USAGE_ERRORS])
def test_usage_errors(recommend, arguments, message):
    done = recommend(*arguments, code=2)
    assert message in done.stderr and done.stdout == ""


def test_a_directory_without_a_run(graft, tmp_path):
    assert graft("recommend", "--run", "none", "--user", "1").returncode == 1
    (tmp_path / "empty").mkdir()
    done = graft("recommend", "--run", "empty", "--user", "1")
    assert done.returncode == 1 and "empty" in done.stderr


def test_data_that_moved_are_named_with_data(graft, folder, recommend, tmp_path):
    before = recommend("--user", "2", "--json", "-").stdout
    toy, moved = folder / "toy", folder / "moved" / "toy"
    moved.parent.mkdir()
    toy.rename(moved)
    try:
        done = recommend("--user", "2", code=1)
        assert "toy" in done.stderr
        assert recommend("--user", "2", "--data", "moved/toy", "--json", "-").stdout == before
    finally:
        moved.rename(toy)
