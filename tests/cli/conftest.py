"""Runs the program named by GRAFT_BINARY as a user would: on files, through its command line."""

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

REPOSITORY = Path(__file__).resolve().parents[2]


def default_signals():
    """A test run in the background of a shell may ignore SIGINT; the program must not inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("GRAFT_BINARY")
    assert path, "set GRAFT_BINARY to the program `graft`"
    return str(Path(path).resolve())


@pytest.fixture
def graft(binary, tmp_path):
    """A runner, `graft("refine", ...)`, in a fresh folder; it returns the finished process with text output."""

    def run(*arguments, **options):
        options.setdefault("cwd", tmp_path)
        options.setdefault("preexec_fn", default_signals)
        return subprocess.run(
            [binary, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            **options,
        )

    return run


def refine_arguments(out, interactions, features=(), graphs=(), **options):
    """The command line of `graft refine`; knn_k=3 becomes --knn-k 3, quiet=True becomes --quiet."""
    arguments = ["refine"]
    for path in features:
        arguments += ["--features", str(path)]
    for path in graphs:
        arguments += ["--graph", str(path)]
    arguments += ["--interactions", str(interactions), "--out", str(out)]
    for name, value in options.items():
        arguments.append("--" + name.replace("_", "-"))
        if value is not True:
            arguments.append(str(value))
    return arguments


@pytest.fixture
def refine(graft, tmp_path):
    """Refines and loads the result as SciPy CSR; the run must succeed."""
    count = 0

    def run(interactions, features=(), graphs=(), **options):
        nonlocal count
        count += 1
        out = tmp_path / f"refined-{count}.npz"
        done = graft(*refine_arguments(out, interactions, features, graphs, **options))
        assert done.returncode == 0, done.stderr
        return sp.load_npz(out)

    return run


def write_inter(path, users, items, labels=None):
    header = "userID\titemID" + ("" if labels is None else "\tx_label")
    columns = [users, items] + ([] if labels is None else [labels])
    rows = ["\t".join(str(int(value)) for value in row) for row in zip(*columns)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def save_graph(path, matrix):
    sp.save_npz(path, sp.csr_matrix(matrix, dtype=np.float32))
    return path


def provenance(path):
    """The facts that a result carries, without their prefix."""
    prefix = "graft_"
    with np.load(path) as members:
        return {key[len(prefix) :]: str(members[key]) for key in members.files if key.startswith(prefix)}


class Toy:
    """The worked example of the specification: 5 users, 4 items, 3 dimensions."""

    def __init__(self, folder):
        golden = json.loads((REPOSITORY / "tests" / "golden" / "graph_refinement.json").read_text())
        self.golden = golden
        self.feature_values = np.array(golden["E"], dtype=np.float32)
        self.features = folder / "features.npy"
        np.save(self.features, self.feature_values)
        users, items = np.nonzero(np.array(golden["R"]))
        self.interactions = write_inter(folder / "toy.inter", users, items, np.zeros(len(users)))


@pytest.fixture
def toy(tmp_path):
    return Toy(tmp_path)


class RandomShop:
    """Random features and interactions, with validation and test rows that name the largest ids."""

    USERS, ITEMS, DIMS = 300, 600, 40

    def __init__(self, folder, seed=7):
        random = np.random.default_rng(seed)
        self.feature_values = random.standard_normal((self.ITEMS, self.DIMS)).astype(np.float32)
        self.features = folder / "random.npy"
        np.save(self.features, self.feature_values)
        pairs = np.unique(random.integers(0, self.USERS * self.ITEMS, 4000))
        random.shuffle(pairs)
        self.users, self.items = pairs // self.ITEMS, pairs % self.ITEMS
        self.labels = random.choice([0, 0, 0, 1, 2], len(pairs))
        self.interactions = write_inter(folder / "random.inter", self.users, self.items, self.labels)


@pytest.fixture
def shop(tmp_path):
    return RandomShop(tmp_path)
