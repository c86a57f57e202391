"""graft.Interactions: from arrays, SciPy matrices and columns of ids."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import graft

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=40)


@given(pairs)
def test_pairs_are_held_by_user_and_by_item(given_pairs):
    users = np.array([user for user, _ in given_pairs], dtype=np.int64)
    items = np.array([item for _, item in given_pairs], dtype=np.int64)
    held = graft.Interactions.from_pairs(users, items, users=7, items=10)
    distinct = set(given_pairs)
    assert held.shape == (7, 10)
    assert len(held) == held.size == len(distinct)
    assert held.duplicates == len(given_pairs) - len(distinct)
    for user in range(7):
        assert held.history(user).tolist() == sorted(i for u, i in distinct if u == user)
    for item in range(10):
        assert held.audience(item).tolist() == sorted(u for u, i in distinct if i == item)
        assert held.degree(item) == len(held.audience(item))


@given(pairs, st.sampled_from(["coo", "csr", "csc", "lil"]))
def test_scipy_matrices_and_pairs_agree(given_pairs, layout):
    users = [user for user, _ in given_pairs]
    items = [item for _, item in given_pairs]
    matrix = sp.coo_array((np.ones(len(users)), (users, items)), shape=(7, 10))
    held = graft.Interactions.from_scipy(matrix.asformat(layout))
    assert (held.to_scipy().toarray() == (matrix.toarray() != 0)).all()
    if layout == "coo":
        assert held.duplicates == len(given_pairs) - len(set(given_pairs))


def test_a_stored_zero_is_an_interaction():
    assert graft.Interactions.from_scipy(sp.csr_array(([0.0], [1], [0, 1]), shape=(1, 2))).size == 1


def test_to_scipy_shares_the_items(shop):
    matrix = shop.train.to_scipy()
    assert np.shares_memory(matrix.indices, shop.train.user_items)
    assert (matrix != shop.matrix).nnz == 0


def test_views_are_read_only_and_outlive_their_owner():
    held = graft.Interactions.from_pairs([0, 1], [1, 0])
    users = held.item_users
    with pytest.raises(ValueError, match="read-only"):
        users[0] = 5
    del held
    assert users.tolist() == [1, 0]


def test_pickle_keeps_sizes(shop):
    held = graft.Interactions.from_pairs([0], [1], users=4, items=9)
    again = pickle.loads(pickle.dumps(held))
    assert again.shape == (4, 9)
    assert again.user_items.tolist() == [1]
    assert repr(again) == "<graft.Interactions: 4 users, 9 items, 1 pairs>"


def test_sizes_default_to_the_largest_id():
    assert graft.Interactions.from_pairs([3], [5]).shape == (4, 6)
    assert graft.Interactions.from_pairs([], []).shape == (0, 0)
    assert graft.Interactions().shape == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0, 1]), "item_ids = 2 entries: must be as many as user_ids, 1"),
        (([-1], [0]), r"user_ids\[0\] = -1"),
        (([0], [2**33]), r"item_ids\[0\] = 8589934592"),
        (([[0]], [[0]]), "user_ids: shape"),
    ],
)
def test_bad_pairs_are_refused_by_name(arguments, message):
    with pytest.raises(graft.InvalidArgument, match=message):
        graft.Interactions.from_pairs(*arguments)


def test_pairs_of_a_wrong_type_are_type_errors():
    with pytest.raises(TypeError, match="user_ids: dtype float64: must be integers"):
        graft.Interactions.from_pairs([0.5], [1])
    with pytest.raises(TypeError, match="items = '3': must be an int"):
        graft.Interactions.from_pairs([0], [1], items="3")
    with pytest.raises(TypeError, match="must be a SciPy sparse matrix"):
        graft.Interactions.from_scipy([[1]])


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_ids_are_numbered_by_first_appearance(rows):
    users = [user for user, _ in rows]
    items = [item for _, item in rows]
    held, user_ids, item_ids = graft.Interactions.from_ids(users, items)
    assert user_ids.tolist() == list(dict.fromkeys(users))
    assert item_ids.tolist() == list(dict.fromkeys(items))
    assert held.shape == (len(user_ids), len(item_ids))
    again = {(user_ids[u], item_ids[i]) for u in range(held.users) for i in held.history(u)}
    assert again == set(rows)


@pytest.mark.parametrize(
    "column",
    [
        ["b", "a", "b"],
        ("b", "a", "b"),
        np.array(["b", "a", "b"]),
        np.array(["b", "a", "b"], dtype=object),
    ],
)
def test_texts_come_as_lists_and_arrays(column):
    held, user_ids, item_ids = graft.Interactions.from_ids(column, np.array([9, 8, 9], dtype=np.uint16))
    assert user_ids.dtype == object
    assert user_ids.tolist() == ["b", "a"]
    assert item_ids.dtype == np.int64
    assert item_ids.tolist() == [9, 8]
    assert held.duplicates == 1


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        ([1, None], graft.InvalidArgument, r"users\[1\] = None: must be an id"),
        (["a", float("nan")], graft.InvalidArgument, r"users\[1\] = nan"),
        ([1, "a"], TypeError, r"users\[1\] = 'a': must be an int as the ids before it"),
        (["a", 1], TypeError, r"users\[1\] = 1: must be a str"),
        ([0.5, 1.5], TypeError, r"users\[0\] = 0.5: must be an int or a str"),
        (np.array([0.5, 1.5]), TypeError, "users: dtype float64"),
        (np.zeros((2, 2), dtype=int), graft.InvalidArgument, "users: shape"),
        ([2**64, 1], graft.InvalidArgument, r"users\[0\] = 18446744073709551616: must fit into 64 bits"),
        (np.array([2**63, 1], dtype=np.uint64), graft.InvalidArgument, "must be at most 2"),
        ([1], graft.InvalidArgument, "items: 2 rows: must be as many as users, 1"),
    ],
)
def test_bad_columns_of_ids_are_refused_by_name(column, error, message):
    with pytest.raises(error, match=message):
        graft.Interactions.from_ids(column, [1, 2])
