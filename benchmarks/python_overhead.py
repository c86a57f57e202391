"""What Python adds to a call: graft.refine beside the program's own measurement of the same C++ call.

    GRAFT_BINARY=build/release/graft python benchmarks/python_overhead.py

The data are random, of Amazon Baby's size (7,050 items, 384 dimensions, 118,551 training interactions). The program
times its call of refine by itself (--json, seconds.refine); Python's time is all of the call graft.refine(...), with
the features in a NumPy array. Rounds alternate, and the fastest of each is taken: both do the same work, so whatever is
above the fastest is other load. A second figure needs no fine clock: the time of calls that do nothing.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import graft

USERS, ITEMS, DIMS, INTERACTIONS = 19_445, 7_050, 384, 118_551


def make_data(folder: Path) -> tuple[Path, Path]:
    """Features and interactions as files."""
    random = np.random.default_rng(1)
    np.save(folder / "features.npy", random.standard_normal((ITEMS, DIMS), dtype=np.float32))
    pairs = random.choice(USERS * ITEMS, INTERACTIONS, replace=False)
    lines = "".join(f"{pair // ITEMS}\t{pair % ITEMS}\t0\n" for pair in pairs)
    (folder / "baby.inter").write_text("userID\titemID\tx_label\n" + lines)
    return folder / "features.npy", folder / "baby.inter"


def program_seconds(binary: str, features: Path, inter: Path, threads: int) -> float:
    """The C++ call within `graft refine`."""
    out = features.with_name("graph.npz")
    command = [binary, "refine", "--features", features, "--interactions", inter, "--threads", str(threads)]
    command += ["--out", out, "--json", "-", "--quiet"]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["seconds"]["refine"])


def python_seconds(features: np.ndarray, train: graft.Interactions, threads: int) -> float:
    """The whole call in Python."""
    begin = time.perf_counter()
    graft.refine(features, train, threads=threads)
    return time.perf_counter() - begin


def empty_call_seconds() -> float:
    """A call without work, the mean of many."""
    graph, calls = graft.Graph(0), 2000
    begin = time.perf_counter()
    for _ in range(calls):
        graft.binarize(graph, threads=1)
    return (time.perf_counter() - begin) / calls


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    binary = os.environ["GRAFT_BINARY"]
    with tempfile.TemporaryDirectory() as folder:
        feature_path, inter = make_data(Path(folder))
        features = np.load(feature_path)
        train = graft.read_inter(inter, items=ITEMS)
        program, python = [], []
        for _ in range(arguments.rounds):
            program.append(program_seconds(binary, feature_path, inter, arguments.threads))
            python.append(python_seconds(features, train, arguments.threads))
        equal = graft.load_npz(feature_path.with_name("graph.npz")) == graft.refine(features, train)
    best_program, best_python, empty = min(program), min(python), empty_call_seconds()
    print(f"refine, {ITEMS} items x {DIMS}, {INTERACTIONS} interactions, {arguments.threads} thread(s)")
    print(f"C++ (in the program)    {1e3 * best_program:9.2f} ms")
    print(f"Python                  {1e3 * best_python:9.2f} ms   {100 * (best_python / best_program - 1):+.2f} %")
    print(f"a call without work     {1e3 * empty:9.3f} ms   {100 * empty / best_program:.3f} % of the above")
    print(f"equal bits              {equal}")


if __name__ == "__main__":
    main()
