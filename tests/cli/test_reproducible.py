"""The same inputs give the same bytes, and held-out rows change nothing."""

import shutil

import numpy as np
import pytest

from conftest import RandomShop, refine_arguments, write_inter


@pytest.fixture
def result_bytes(graft, tmp_path):
    def run(interactions, features, **options):
        done = graft(*refine_arguments("out.npz", interactions, features, **options))
        assert done.returncode == 0, done.stderr
        return (tmp_path / "out.npz").read_bytes()

    return run


def test_threads_budget_folder_and_time_change_no_byte(result_bytes, shop, tmp_path):
    expected = result_bytes(shop.interactions, [shop.features], threads=1)
    for options in [
        {"threads": 1},
        {"threads": 2},
        {"threads": 7},
        {"memory_budget": "2MiB"},
        {"memory_budget": "1GiB", "threads": 3},
        {"quiet": True, "json": "summary.json", "backend": "cpu"},
    ]:
        assert result_bytes(shop.interactions, [shop.features], **options) == expected, options
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = [shutil.copy(path, elsewhere) for path in (shop.interactions, shop.features)]
    assert result_bytes(moved[0], [moved[1]]) == expected


def test_validation_and_test_rows_change_nothing(result_bytes, shop, tmp_path):
    expected = result_bytes(shop.interactions, [shop.features])
    random = np.random.default_rng(8)
    train = shop.labels == 0
    users, items = shop.users.copy(), shop.items.copy()
    users[~train] = random.integers(0, RandomShop.USERS, (~train).sum())
    items[~train] = random.integers(0, RandomShop.ITEMS, (~train).sum())
    changed = [
        (users, items, shop.labels),
        (shop.users[train], shop.items[train], shop.labels[train]),
        (shop.users[train], shop.items[train], None),
        (shop.users, shop.items, np.where(train, 0, 3 - shop.labels)),
    ]
    for variant in changed:
        write_inter(tmp_path / "random.inter", *variant)
        assert result_bytes("random.inter", [shop.features]) == expected
    write_inter(tmp_path / "random.inter", shop.users, shop.items, 0 * shop.labels)
    assert result_bytes("random.inter", [shop.features]) != expected


def test_the_order_of_rows_and_columns_and_repetition_change_nothing(result_bytes, shop, tmp_path):
    expected = result_bytes(shop.interactions, [shop.features])
    order = np.random.default_rng(9).permutation(len(shop.users))
    rows = [f"{shop.labels[e]}\t4.5\t{shop.items[e]}\t{shop.users[e]}" for e in order]
    path = tmp_path / "random.inter"
    path.write_text("\r\n".join(["x_label\trating\titemID\tuserID", *rows, *rows[:50]]))
    assert result_bytes(path, [shop.features]) == expected


def test_splits_are_chosen_by_name_only(graft, result_bytes, shop, tmp_path):
    for label, split in enumerate(["train", "valid", "test"]):
        chosen = shop.labels == label
        alone = tmp_path / split
        alone.mkdir()
        path = write_inter(alone / "random.inter", shop.users[chosen], shop.items[chosen], np.zeros(chosen.sum()))
        by_name = graft(*refine_arguments("out.npz", shop.interactions, [shop.features], split=split))
        by_file = graft(*refine_arguments("alone.npz", path, [shop.features]))
        assert by_name.returncode == 0 and by_file.returncode == 0
        assert ("warning: --split" in by_name.stderr) == (split != "train")
        with np.load(tmp_path / "out.npz") as named, np.load(tmp_path / "alone.npz") as filed:
            for member in ["indptr", "indices", "data"]:
                np.testing.assert_array_equal(named[member], filed[member])


def test_every_option_that_matters_changes_the_facts_in_the_file(result_bytes, shop):
    seen = {result_bytes(shop.interactions, [shop.features])}
    for options in [
        {"knn_k": 9},
        {"threshold": 0.25},
        {"jaccard_k": 9},
        {"min_support": 2},
        {"preset": "reference"},
        {"weights": "similarity"},
        {"symmetrize": "max"},
        {"add_self_loops": True},
        {"normalization": "row"},
        {"epsilon": 1e-7},
        {"normalize_parts": True},
        {"enhancement_weight": 0.5},
        {"split": "all"},
    ]:
        seen.add(result_bytes(shop.interactions, [shop.features], **options))
    assert len(seen) == 14
