"""Tests of the Python package graft, as it is installed."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import settings

import graft

# The same examples in every run, on slow machines too; no folder of found examples.
settings.register_profile("graft", database=None, deadline=None, derandomize=True)
settings.load_profile("graft")

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error")  # a warning that nobody expects is a failure


class Shop:
    """Random features and interactions."""

    USERS, ITEMS, DIMS = 120, 200, 24

    def __init__(self, seed=5):
        random = np.random.default_rng(seed)
        self.features = random.standard_normal((self.ITEMS, self.DIMS), dtype=np.float32)
        pairs = random.choice(self.USERS * self.ITEMS, 1500, replace=False)
        self.user_ids = (pairs // self.ITEMS).astype(np.int32)
        self.item_ids = (pairs % self.ITEMS).astype(np.int32)
        self.train = graft.Interactions.from_pairs(self.user_ids, self.item_ids, users=self.USERS, items=self.ITEMS)
        ones = np.ones(len(pairs), dtype=np.float32)
        self.matrix = sp.csr_array((ones, (self.user_ids, self.item_ids)), shape=(self.USERS, self.ITEMS))
        self.graph = graft.knn_graph(self.features, k=7)


@pytest.fixture(scope="session")
def shop():
    return Shop()
