"""Memory: calls leave nothing behind, and features are not copied behind the caller's back."""

import subprocess
import sys

import pytest

MEBIBYTE = 1 << 20

RSS = """
import resource
def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def peak():  # ru_maxrss would begin with the parent's
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
"""

CALLS = """
import gc, io, pickle
import numpy as np, scipy.sparse as sp
import graft
random = np.random.default_rng(0)
x = random.standard_normal((300, 16), dtype=np.float32)
pairs = random.integers(0, 300, (2, 3000))
matrix = sp.csr_array((np.ones(3000), tuple(pairs)), shape=(300, 300))
names = [f"user {n}" for n in pairs[0]]
def work():
    train, _, _ = graft.Interactions.from_ids(names, pairs[1])
    graph = graft.refine(x, matrix, progress=lambda *_: None)
    graft.propagate(graph, x, 2, "mean")
    graph.to_scipy(), graph.data, pickle.loads(pickle.dumps(graph))
    graft.threshold(graph.to_scipy(), 0.1)
    graft.top_k_scores(x, x, exclude=matrix).ids
    graft.inspect(graph, interactions=matrix)
    for bad in (lambda: graft.knn_graph(x, k=0), lambda: graft.load_npz("/no"), lambda: graft.refine(x[:9], train)):
        try: bad()
        except graft.Error: pass
for _ in range(100): work()
for _ in range(3):
    gc.collect(); before = now()
    for _ in range(400): work()
    gc.collect(); print(now() - before)
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", RSS + code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def test_thousands_of_calls_leave_nothing_behind():
    # The allocator gives and takes a few megabytes; what is lost at every call is lost in each of the three parts.
    assert min(run(CALLS)) < MEBIBYTE // 2


COPIES = """
import numpy as np, graft
x = np.ones((1 << 20, 64), dtype=np.{dtype})
x[:, 1] = np.arange(len(x)) % 1000
context = graft.Context(threads=1, memory_budget=32 << 20)
before = peak()
{call}
print(x.nbytes, peak() - before)
"""

READING = [
    "graft.knn_graph(x, k=2, row_range=(0, 16), context=context)",
    "graft.top_k_scores(x[:16], x, k=2, context=context)",
    "graft.explain(x, graft.Interactions.from_pairs([0], [0], items=len(x)), 0, 1, context=context)",
]


@pytest.mark.parametrize("call", READING)
def test_a_quarter_of_a_gigabyte_of_float32_is_not_copied(call):
    size, growth = run(COPIES.format(dtype="float32", call=call))
    assert size == 256 * MEBIBYTE
    assert growth < 80 * MEBIBYTE  # the budget, offsets of a million rows


def test_float64_is_copied_once():
    size, growth = run(COPIES.format(dtype="float64", call=READING[0]))
    assert size == 512 * MEBIBYTE
    assert 256 * MEBIBYTE <= growth < 256 * MEBIBYTE + 80 * MEBIBYTE
