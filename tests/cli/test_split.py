"""graft prepare split: files of interactions in, a dataset directory out."""

import csv
import gzip
import hashlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conftest import REPOSITORY, default_signals, provenance, refine_arguments

DATA = Path(os.environ.get("GRAFT_DATA") or REPOSITORY.parent / "shared" / "data")


def expected_counts(rows):
    """(train, valid, test) of a user: the published rule."""
    if rows < 10:
        return rows - 2, 1, 1
    held_out = rows // 5
    return rows - held_out, held_out // 2, held_out - held_out // 2


def shop_rows(users=60, items=40, seed=5):
    """Distinct (user, item, rating, timestamp) with string ids; users of 5 to 30 rows."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        count = int(random.integers(5, 31))
        for item in random.choice(items, count, replace=False):
            rating = int(random.integers(1, 6))
            rows.append((f"A{user:03d}X", f"{item:05d}", rating, int(random.integers(1_300_000_000, 1_400_000_000))))
    random.shuffle(rows)
    return [(str(user), str(item), int(rating), int(when)) for user, item, rating, when in rows]


@pytest.fixture
def ratings(tmp_path):
    """A ratings dump without a header, as the Amazon 2014 files are."""
    path = tmp_path / "ratings.csv"
    path.write_text("".join(f"{u},{i},{r}.0,{t}\n" for u, i, r, t in shop_rows()))
    return path


@pytest.fixture
def split(graft, tmp_path):
    """Splits into a directory; the run must succeed."""

    def run(*arguments, out="set"):
        done = graft("prepare", "split", *arguments, "--out", out)
        assert done.returncode == 0, done.stderr
        return tmp_path / out

    return run


@pytest.fixture
def refused(graft, tmp_path):
    """The run must fail with one error and leave the folder as it was."""

    def run(code, *words, arguments):
        before = sorted(tmp_path.rglob("*"))
        done = graft("prepare", "split", *arguments)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        error = done.stderr.splitlines()[-1]
        assert error.startswith("graft prepare split: error: "), done.stderr
        for word in words:
            assert word in error
        assert sorted(tmp_path.rglob("*")) == before

    return run


def read_set(folder):
    """Rows of NAME.inter as dictionaries, and the ids by number."""
    (inter,) = folder.glob("*.inter")
    with open(inter, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    ids = []
    for name, columns in [("u_id_mapping.csv", ["user_id", "userID"]), ("i_id_mapping.csv", ["asin", "itemID"])]:
        with open(folder / name, newline="") as file:
            header, *lines = list(csv.reader(file, delimiter="\t"))
        assert header == columns
        assert [int(number) for _, number in lines] == list(range(len(lines)))
        ids.append([text for text, _ in lines])
    return rows, *ids


def counts_per_user(rows):
    counts = {}
    for row in rows:
        counts.setdefault(int(row["userID"]), Counter())[int(row["x_label"])] += 1
    return {user: (own[0], own[1], own[2]) for user, own in counts.items()}


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_each_user_is_split_by_the_published_rule_and_every_row_is_there(split, ratings):
    rows, users, items = read_set(split(ratings))
    for counts in counts_per_user(rows).values():
        assert counts == expected_counts(sum(counts))
    original = Counter(shop_rows())
    back = Counter(
        (users[int(r["userID"])], items[int(r["itemID"])], int(float(r["rating"])), int(r["timestamp"])) for r in rows
    )
    assert back == original
    assert list(rows[0]) == ["userID", "itemID", "rating", "timestamp", "x_label"]
    assert [int(row["userID"]) for row in rows] == sorted(int(row["userID"]) for row in rows)
    seen = list(dict.fromkeys(user for user, *_ in shop_rows()))
    assert users == seen


def test_csv_tsv_json_lines_and_gzip_give_the_same_files(split, ratings, tmp_path):
    rows = shop_rows()
    expected = digests(split(ratings))
    (tmp_path / "named.tsv").write_text(
        "timestamp\tasin\toverall\treviewerID\textra\n" + "".join(f'{t}\t{i}\t{r}\t{u}\t"x\n' for u, i, r, t in rows)
    )
    with open(tmp_path / "quoted.csv", "w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["note", "user", "item", "rating", "time"])
        writer.writerows([['two\nlines, "q"', u, i, r, t] for u, i, r, t in rows])
    with open(tmp_path / "reviews.jsonl", "w") as file:
        for user, item, rating, when in rows:
            record = {"unixReviewTime": when, "reviewerID": user, "asin": item, "overall": rating, "helpful": [1]}
            file.write(json.dumps(record) + "\n")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(ratings.read_bytes()))
    half = len(rows) // 2
    for name, part in [("one.csv", rows[:half]), ("two.csv", rows[half:])]:
        (tmp_path / name).write_text("".join(f"{u},{i},{r},{t}\n" for u, i, r, t in part))
    for number, files in enumerate(
        [["named.tsv"], ["quoted.csv"], ["reviews.jsonl"], ["packed.gz"], ["one.csv", "two.csv"]]
    ):
        actual = digests(split(*files, "--name", "set", out=f"other-{number}"))
        for name in ["set.inter", "u_id_mapping.csv", "i_id_mapping.csv"]:
            assert actual[name] == expected[name], files


def test_the_same_inputs_give_the_same_bytes_and_another_seed_another_split(split, ratings, tmp_path):
    first = digests(split(ratings))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ratings.csv").write_bytes(ratings.read_bytes())
    assert digests(split(elsewhere / "ratings.csv", "--quiet", "--json", "x.json", out="elsewhere/set")) == first
    other = digests(split(ratings, "--seed", "1", "--name", "set", out="seed-1"))
    assert other["set.inter"] != first["set.inter"]
    assert other["u_id_mapping.csv"] == first["u_id_mapping.csv"]


def test_a_seed_means_the_same_split_for_ever(split, tmp_path):
    (tmp_path / "ten.csv").write_text("user,item\n" + "".join(f"u,{item}\n" for item in range(10)))
    rows, _, items = read_set(split("ten.csv", "--k-core", "0"))
    assert [int(items[int(row["itemID"])]) for row in rows] == [6, 0, 5, 1, 8, 4, 2, 7, 3, 9]
    assert [row["x_label"] for row in rows] == ["0"] * 8 + ["1", "2"]


def test_the_description_tells_what_the_files_hold(split, ratings, graft, tmp_path):
    folder = split(ratings, "--protocol", "cold-item", "--cold-share", "0.3", "--k-core", "6", "--json", "out.json")
    facts = json.loads((folder / "dataset.json").read_text())
    rows, users, items = read_set(folder)
    assert facts["options"]["protocol"] == "cold-item" and facts["options"]["cold_share"] == 0.3
    assert facts["counts"]["users"] == len(users) and facts["counts"]["items"] == len(items)
    assert facts["counts"]["interactions"] == len(rows)
    for label, name in enumerate(["train", "valid", "test"]):
        own = [row for row in rows if row["x_label"] == str(label)]
        assert facts["counts"][name]["interactions"] == len(own)
        assert facts["counts"][name]["items"] == len({row["itemID"] for row in own})
        assert facts["counts"][name]["users"] == len({row["userID"] for row in own})
    assert facts["counts"]["test"]["items_without_training"] == facts["counts"]["test"]["items"]
    assert facts["steps"]["read"]["rows"] == len(shop_rows())
    assert facts["inputs"][0]["sha256"] == hashlib.sha256(ratings.read_bytes()).hexdigest()
    for file in facts["files"]:
        content = (folder / file["name"]).read_bytes()
        assert file["bytes"] == len(content) and file["sha256"] == hashlib.sha256(content).hexdigest()
    assert {file["name"] for file in facts["files"]} | {"dataset.json"} == {path.name for path in folder.iterdir()}
    told = json.loads((tmp_path / "out.json").read_text())
    assert {key: told[key] for key in facts} == facts


def test_the_result_is_read_by_refine_and_carries_the_same_hash(split, graft, ratings, tmp_path):
    folder = split(ratings)
    facts = json.loads((folder / "dataset.json").read_text())
    np.save(tmp_path / "f.npy", np.random.default_rng(1).standard_normal((facts["counts"]["items"], 8), np.float32))
    done = graft(*refine_arguments("graph.npz", folder / "set.inter", ["f.npy"]))
    assert done.returncode == 0, done.stderr
    assert provenance(tmp_path / "graph.npz")["interactions_sha256"] == facts["train_sha256"]


def test_protocols_by_time(split, ratings):
    rows, *_ = read_set(split(ratings, "--protocol", "temporal", out="global"))
    when = {label: [int(row["timestamp"]) for row in rows if row["x_label"] == label] for label in "012"}
    assert max(when["0"]) < min(when["1"]) and max(when["1"]) < min(when["2"])
    assert len(when["0"]) == -(-8 * len(rows) // 10)
    rows, *_ = read_set(split(ratings, "--protocol", "temporal-user", out="user"))
    assert {counts == expected_counts(sum(counts)) for counts in counts_per_user(rows).values()} == {True}
    for user in {row["userID"] for row in rows}:
        times = [int(row["timestamp"]) for row in rows if row["userID"] == user]
        assert times == sorted(times)


def test_cold_items_never_train(split, ratings):
    rows, _, items = read_set(split(ratings, "--protocol", "cold-item"))
    groups = [{row["itemID"] for row in rows if row["x_label"] == label} for label in "012"]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert [len(group) for group in groups] == [len(items) - len(items) // 5, len(items) // 10, len(items) // 10]


def test_ids_survive_quotes_tabs_and_leading_zeros(split, tmp_path):
    wild = ["007", "7", "a,b", 'say "x"', "tab\there", "line\nend", "é", "inner blank", '"start']
    with open(tmp_path / "wild.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "item"])
        writer.writerows([[text, f"item of {text}"] for text in wild])
    _, users, items = read_set(split("wild.csv", "--k-core", "0"))
    assert users == wild
    assert items == [f"item of {text}" for text in wild]


def test_notices_tell_what_was_taken_and_left_out(graft, tmp_path):
    rows = [*shop_rows(), ("", "00001", 5, 1), ("A000X", "", 5, 1), shop_rows()[0], ("rare", "00001", 5, 1)]
    (tmp_path / "r.csv").write_text("".join(f"{u},{i},{r},{t}\n" for u, i, r, t in rows))
    done = graft("prepare", "split", "r.csv", "--out", "set")
    assert done.returncode == 0
    for words in [
        "notice: r.csv: CSV without header",
        "user = column 1, item = column 2, time = column 4, rating = column 3",
        "2 rows left out: 1 without a user, 1 without an item",
        "1 rows left out: they repeat the user, item and time",
        "5-core: 1 of ",
    ]:
        assert words in done.stderr
    assert graft("prepare", "split", "r.csv", "--out", "quiet", "--quiet").stderr == ""


BAD_OPTIONS = [
    (["--k-core", "-1"], "--k-core = -1"),
    (["--k-core", "five"], "--k-core = five"),
    (["--protocol", "leave-one-out"], "--protocol = leave-one-out: must be one of random, temporal"),
    (["--format", "xml"], "--format = xml"),
    (["--header", "maybe"], "--header = maybe"),
    (["--duplicates", "drop"], "--duplicates = drop"),
    (["--seed", "-1"], "--seed = -1"),
    (["--seed", "1.5"], "--seed = 1.5"),
    (["--min-rating", "high"], "--min-rating = high"),
    (["--min-rating", "nan"], "--min-rating = nan"),
    (["--cold-share", "0.2"], "--cold-share = 0.2: is for --protocol cold-item only"),
    (["--cold-share", "1.2", "--protocol", "cold-item"], "--cold-share = 1.2"),
    (["--name", "a/b"], "--name = a/b"),
    (["--json", "ratings.csv"], "--json = ratings.csv: is an input too"),
    (["--json", "set"], "--json = set"),
    (["ratings.csv"], "FILE = ratings.csv: may be given only once"),
    (["--kcore", "5"], "--kcore: unknown option"),
]


@pytest.mark.parametrize("extra, expected", BAD_OPTIONS, ids=[" ".join(extra) for extra, _ in BAD_OPTIONS])
def test_bad_options_are_usage_errors(refused, ratings, extra, expected):
    refused(2, expected, arguments=["ratings.csv", "--out", "set", *extra])


def test_missing_arguments_are_usage_errors(refused, ratings):
    refused(2, "FILE: is required", arguments=["--out", "set"])
    refused(2, "--out: is required", arguments=["ratings.csv"])


def test_inputs_that_cannot_be_used(refused, ratings, tmp_path):
    def bad(text, *words, extra=()):
        (tmp_path / "bad.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        refused(1, *words, arguments=["bad.csv", "--out", "set", *extra])

    refused(1, "FILE = none.csv: no such file", arguments=["none.csv", "--out", "set"])
    refused(1, "is a directory", arguments=[".", "--out", "set"])
    bad("", "bad.csv: is empty")
    bad("user,item\n", "no interaction is left of 0 rows")
    bad("user,item\nu,i\nu,i,3\n", "bad.csv:3: has 3 field(s), must have 2")
    bad('user,item\n"u,i\n', "bad.csv:2: opens a quote that is never closed")
    bad("user,item,time\nu,i,now\n", 'bad.csv:2: time = "now"')
    bad('{"user": "u", "item": "i"}\n{"user": "u"\n', "bad.csv:2: is not JSON: column")
    bad("user,item\nA,i\n A,i\n", "bad.csv:3: user id", "bad.csv:2", "(trim_ids)")
    bad(b"user,item\nu,\xe9\n", "bad.csv:2", "UTF-8")
    bad(b"user,item\nu,i\0\n", "bad.csv:2: has a zero byte")
    bad("user,item\nu,i\n", "k_core = 5: leaves nothing of 1 rows, 1 users, 1 items", "that leaves something is 1")
    bad("user,item\nu,i\n", "protocol = temporal", "(time)", extra=["--protocol", "temporal", "--k-core", "0"])
    bad("user,item\nu,i\n", "cold_share", extra=["--protocol", "cold-item", "--k-core", "0"])
    refused(1, "missing", arguments=["ratings.csv", "--out", "missing/set"])


def test_an_existing_directory_is_kept(refused, split, ratings, tmp_path):
    folder = split(ratings)
    before = digests(folder)
    refused(1, "set", "exists", arguments=["ratings.csv", "--out", "set"])
    assert digests(folder) == before


def test_an_interrupted_run_leaves_nothing(binary, tmp_path):
    chunk = "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in shop_rows(400, 200, seed=9)) * 60
    with open(tmp_path / "long.csv", "w") as file:
        for _ in range(20):
            file.write(chunk)
    process = subprocess.Popen(
        [binary, "prepare", "split", "long.csv", "--out", "set"],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        preexec_fn=default_signals,
    )
    # the temporary directory is there once the work has begun
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".graft-*/")) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.2)
    assert process.poll() is None
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    assert time.monotonic() - before < 3
    assert process.returncode == 130
    assert b"interrupted; nothing was written" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["long.csv"]


def test_baby_is_split_again_with_the_published_counts(split):
    path = DATA / "baby" / "baby.inter"
    if not path.is_file():
        pytest.skip(f"data set baby: {path} is not there (set GRAFT_DATA)")
    folder = split(path)
    facts = json.loads((folder / "dataset.json").read_text())
    assert facts["counts"]["interactions"] == 160792
    assert facts["counts"]["users"] == 19445 and facts["counts"]["items"] == 7050
    assert [facts["counts"][name]["interactions"] for name in ["train", "valid", "test"]] == [118551, 20559, 21682]
    assert facts["steps"]["k_core"]["removed_in_rounds"] == []

    published = np.loadtxt(path, dtype=np.int64, skiprows=1, delimiter="\t")
    again = np.loadtxt(folder / "set.inter", dtype=np.int64, skiprows=1, delimiter="\t")
    _, users, items = read_set(folder)
    original_user, original_item = np.array(users, dtype=np.int64), np.array(items, dtype=np.int64)

    def sorted_pairs(user, item):
        return np.sort(user * 100_000 + item)

    np.testing.assert_array_equal(
        sorted_pairs(published[:, 0], published[:, 1]),
        sorted_pairs(original_user[again[:, 0]], original_item[again[:, 1]]),
    )
    for label in range(3):
        mine = np.bincount(original_user[again[again[:, 2] == label, 0]], minlength=19445)
        np.testing.assert_array_equal(mine, np.bincount(published[published[:, 2] == label, 0], minlength=19445))
    assert not np.array_equal(
        sorted_pairs(published[published[:, 2] == 0, 0], published[published[:, 2] == 0, 1]),
        sorted_pairs(original_user[again[again[:, 2] == 0, 0]], original_item[again[again[:, 2] == 0, 1]]),
    )
