"""`graft evaluate`: every number against an oracle that follows the definitions."""

import json
import re

import numpy as np
import pytest

from conftest import write_inter
from ranking_oracle import best_items, catalogue_metrics, histories, mean_metrics

CUTOFFS = [5, 10, 20, 50]


class Catalogue:
    """Vectors of small integers, so that scores are exact and often equal, and a split with all that can be odd:
    repeated rows, a user without training rows, items without interactions, users with few candidates left.
    """

    USERS, ITEMS, DIMS = 90, 75, 4

    def __init__(self, folder, seed=11):
        random = np.random.default_rng(seed)
        self.user_vectors = random.integers(-2, 3, (self.USERS, self.DIMS)).astype(np.float32)
        self.item_vectors = random.integers(-2, 3, (self.ITEMS, self.DIMS)).astype(np.float32)
        rows = []
        for user in range(self.USERS):
            count = int(random.integers(4, 12)) if user % 15 else 48
            own = random.choice(self.ITEMS - 5, count, replace=False)
            labels = random.choice([0, 0, 0, 1, 2], count)
            labels[:3] = [0, 1, 2]
            rows += [(user, item, label) for item, label in zip(own, labels)]
        rows = [row if row[0] != 8 else (8, row[1], 1 + row[2] % 2) for row in rows]  # user 8 has no training row
        rows += [row for row in rows if row[2] == 2][:7]  # repeated test rows
        rows = np.array(rows)
        random.shuffle(rows)
        self.users, self.items, self.labels = rows.T
        self.folder = folder / "shop"
        self.folder.mkdir()
        write_inter(self.folder / "shop.inter", self.users, self.items, self.labels)
        self.user_file, self.item_file = folder / "users.npy", folder / "items.npy"
        np.save(self.user_file, self.user_vectors)
        np.save(self.item_file, self.item_vectors)

    def arguments(self, *more):
        return ["--users", self.user_file, "--items", self.item_file, "--data", self.folder, *more]

    def expected(self):
        """Training histories, held-out rows by split, and the ranking of every evaluated user."""
        train = {user: set(items) for user, items in histories(self.users, self.items, self.labels, 0).items()}
        held = {}
        for split, label in [("valid", 1), ("test", 2)]:
            rows = histories(self.users, self.items, self.labels, label)
            held[split] = {user: items for user, items in rows.items() if user in train}
        scores = self.user_vectors @ self.item_vectors.T
        evaluated = sorted({*held["valid"], *held["test"]})
        rankings = {user: best_items(scores[user], train[user]) for user in evaluated}
        return train, held, rankings


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue(tmp_path)


@pytest.fixture
def evaluate(graft):
    """Evaluates, which must succeed; returns the JSON summary."""

    def run(*arguments):
        done = graft("evaluate", *arguments, "--json", "-", "--quiet")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def assert_close(actual, expected):
    assert sorted(actual) == sorted(expected)
    for name, value in expected.items():
        assert actual[name] == pytest.approx(value, rel=0, abs=1e-12), name


def test_every_metric_is_what_its_definition_says(catalogue, evaluate):
    summary = evaluate(*catalogue.arguments())
    train, held, rankings = catalogue.expected()
    assert 8 not in train and any(len(ranked) < 50 for ranked in rankings.values())
    for split in ("valid", "test"):
        assert_close(summary[split], mean_metrics(rankings, held[split], CUTOFFS))
        assert summary["groups"][split]["users"] == len(held[split])
        assert summary["groups"][split]["interactions"] == sum(map(len, held[split].values()))
    assert_close(summary["catalogue"], catalogue_metrics(rankings, catalogue.ITEMS, CUTOFFS))
    assert 0 < summary["test"]["recall@20"] < 1


def test_other_cutoffs(catalogue, evaluate):
    summary = evaluate(*catalogue.arguments("--cutoffs", "3,1,200"))
    _, held, rankings = catalogue.expected()
    assert_close(summary["test"], mean_metrics(rankings, held["test"], [1, 3, 200]))


@pytest.fixture
def cold_catalogue(tmp_path):
    """As `catalogue`; all rows of items 0 to 9 are held out, of even ones for validation, of odd ones for the test."""
    catalogue = Catalogue(tmp_path, seed=12)
    cold = catalogue.items < 10
    catalogue.labels = np.where(cold, 1 + catalogue.items % 2, catalogue.labels)
    write_inter(catalogue.folder / "shop.inter", catalogue.users, catalogue.items, catalogue.labels)
    return catalogue


def test_cold_candidates_compete_among_themselves(cold_catalogue, evaluate):
    summary = evaluate(*cold_catalogue.arguments("--candidates", "cold"))
    _, held, _ = cold_catalogue.expected()
    trained = set(cold_catalogue.items[cold_catalogue.labels == 0])
    scores = cold_catalogue.user_vectors @ cold_catalogue.item_vectors.T
    assert summary["candidates"] == "cold"
    for split in ("valid", "test"):
        rows = {user: [item for item in items if item not in trained] for user, items in held[split].items()}
        rows = {user: items for user, items in rows.items() if items}
        candidates = {item for items in rows.values() for item in items}
        others = set(range(cold_catalogue.ITEMS)) - candidates
        rankings = {user: best_items(scores[user], others) for user in rows}
        assert_close(summary[split], mean_metrics(rankings, rows, CUTOFFS))
        facts = summary["groups"][split]
        assert facts["candidates"] == len(candidates) >= 5
        assert facts["users"] == len(rows) and facts["interactions"] == sum(map(len, rows.values()))
        assert [group["group"] for group in facts["by_popularity"]] == ["items never seen in training"]
    assert evaluate(*cold_catalogue.arguments())["candidates"] == "all"


def test_cold_candidates_are_told_and_named(cold_catalogue, graft):
    done = graft("evaluate", *cold_catalogue.arguments("--candidates", "cold"))
    assert re.search(r"^test: .* among \d+ items without a training row$", done.stdout, re.MULTILINE)
    done = graft("evaluate", *cold_catalogue.arguments("--candidates", "warm"))
    assert done.returncode == 2 and "--candidates = warm: must be one of all, cold" in done.stderr


def group_range(label, noun):
    """Least and most of "users with 3 to 4 training items"."""
    words = re.fullmatch(rf"\w+ with (\d+)(?: to (\d+))? training {noun}s?", label)
    assert words, label
    return int(words[1]), int(words[2] or words[1])


def test_groups_by_activity_part_the_users(catalogue, evaluate):
    groups = evaluate(*catalogue.arguments())["groups"]
    train, held, rankings = catalogue.expected()
    for split in ("valid", "test"):
        total = mean_metrics(rankings, held[split], CUTOFFS)
        weighted = dict.fromkeys(total, 0.0)
        last = 0
        parts = groups[split]["by_activity"]
        assert 2 <= len(parts) <= 4
        for group in parts:
            least, most = group_range(group["group"], "item")
            assert last < least <= most
            last = most
            own = {user: items for user, items in held[split].items() if least <= len(train[user]) <= most}
            assert group["members"] == len(own) > 0
            assert_close(group["metrics"], mean_metrics(rankings, own, CUTOFFS))
            for name, value in group["metrics"].items():
                weighted[name] += value * len(own) / len(held[split])
        assert sum(group["members"] for group in parts) == len(held[split])
        assert_close(weighted, total)


def test_groups_by_popularity_part_the_held_out_rows(catalogue, evaluate):
    groups = evaluate(*catalogue.arguments())["groups"]
    train, held, rankings = catalogue.expected()
    degree = np.zeros(catalogue.ITEMS, dtype=int)
    for items in train.values():
        degree[list(items)] += 1
    for split in ("valid", "test"):
        rows = 0
        for group in groups[split]["by_popularity"]:
            unseen = group["group"] == "items never seen in training"
            least, most = (0, 0) if unseen else group_range(group["group"], "interaction")
            own = {
                user: [item for item in items if least <= degree[item] <= most] for user, items in held[split].items()
            }
            own = {user: items for user, items in own.items() if items}
            rows += sum(map(len, own.values()))
            assert group["members"] == len({item for items in own.values() for item in items})
            assert_close(group["metrics"], mean_metrics(rankings, own, CUTOFFS))
        assert rows == sum(map(len, held[split].values()))


def test_the_number_of_threads_changes_nothing(catalogue, evaluate):
    summaries = [evaluate(*catalogue.arguments("--threads", threads)) for threads in (1, 2, 5)]
    for summary in summaries:
        del summary["seconds"]
    assert summaries[0] == summaries[1] == summaries[2]


def test_random_vectors(catalogue, evaluate):
    random = np.random.default_rng(5)
    catalogue.user_vectors = random.standard_normal((catalogue.USERS, 16)).astype(np.float32)
    catalogue.item_vectors = random.standard_normal((catalogue.ITEMS, 16)).astype(np.float32)
    np.save(catalogue.user_file, catalogue.user_vectors)
    np.save(catalogue.item_file, catalogue.item_vectors)
    summary = evaluate(*catalogue.arguments())
    _, held, rankings = catalogue.expected()
    assert_close(summary["test"], mean_metrics(rankings, held["test"], CUTOFFS))


def test_the_table_shows_splits_groups_and_catalogue(catalogue, graft, evaluate):
    done = graft("evaluate", *catalogue.arguments())
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    summary = evaluate(*catalogue.arguments())
    for measure in ("recall", "ndcg", "precision", "map"):
        cells = " ".join(f"{summary['test'][f'{measure}@{k}']:.4f}" for k in CUTOFFS)
        assert f"{measure} {cells}" in [" ".join(line.split()) for line in lines]
    for word in ("valid:", "test:", "by activity", "by popularity", "catalogue", "coverage", "gini"):
        assert word in done.stdout
    assert "user has no training row" in done.stderr


def test_quiet_prints_nothing(catalogue, graft, tmp_path):
    done = graft("evaluate", *catalogue.arguments("--quiet", "--json", "summary.json"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["command"] == "evaluate"
    assert len(summary["notices"]) > 0


def save_with(path, array, row, value):
    array = array.copy()
    array[row, 0] = value
    np.save(path, array)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_named(catalogue, graft, value):
    save_with(catalogue.item_file, catalogue.item_vectors, 13, value)
    done = graft("evaluate", *catalogue.arguments())
    assert done.returncode == 1
    assert "item_vectors" in done.stderr and "13" in done.stderr
    assert done.stdout == ""


def test_too_few_rows_are_refused_with_both_numbers(catalogue, graft):
    np.save(catalogue.user_file, catalogue.user_vectors[:-1])
    done = graft("evaluate", *catalogue.arguments())
    assert done.returncode == 1
    assert "user_vectors" in done.stderr and "89" in done.stderr and "90" in done.stderr
    np.save(catalogue.user_file, catalogue.user_vectors)
    np.save(catalogue.item_file, catalogue.item_vectors[:20])
    done = graft("evaluate", *catalogue.arguments())
    assert done.returncode == 1
    assert "shop.inter" in done.stderr and "20" in done.stderr


USAGE_ERRORS = [
    ([], "--run: is required"),
    (["--users", "users.npy"], "--items: is required"),
    (["--users", "users.npy", "--items", "items.npy"], "--data: is required"),
    (["--run", "run", "--users", "users.npy"], "--run: holds vectors"),
    (["--run", "run", "--cutoffs", "5,0"], "--cutoffs = 0"),
    (["--run", "run", "--cutoffs", "5,,10"], "--cutoffs = :"),
    (["--run", "run", "--threads", "-1"], "--threads = -1"),
]


@pytest.mark.parametrize("arguments, message", USAGE_ERRORS, ids=[message for _, message in USAGE_ERRORS])
def test_usage_errors(graft, arguments, message):
    done = graft("evaluate", *arguments)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.startswith("graft evaluate: error: ")


def test_missing_inputs(catalogue, graft, tmp_path):
    done = graft("evaluate", "--run", "nowhere")
    assert done.returncode == 1
    assert "--run = nowhere: no such directory" in done.stderr
    done = graft("evaluate", "--users", "none.npy", "--items", catalogue.item_file, "--data", catalogue.folder)
    assert done.returncode == 1
    assert "--users = none.npy: no such file" in done.stderr
    (tmp_path / "empty").mkdir()
    done = graft("evaluate", "--run", "empty")
    assert done.returncode == 1
    assert "empty" in done.stderr
