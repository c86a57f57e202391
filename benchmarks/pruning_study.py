"""How much of the all-pairs product exact pruning could save at the very best.

    build/venv/bin/python benchmarks/pruning_study.py [features.npy ...]

The idea: rotate the rows so that the first m dimensions hold most of the energy, compute those, bound the rest by
Cauchy-Schwarz, <x, y> <= <x', y'> + |x''| |y''|, and finish a pair only if the bound reaches the k-th best of one of
its rows. The study gives the bound every advantage: thresholds are the final ones, rows are grouped by similarity, and
rotation, bookkeeping and exact re-scoring cost nothing. A register tile of 8 x 48 pairs can be left out only if all of
its pairs can. `cost` is the share of multiply-adds that remain. Without arguments: synthetic clusters, 384 dimensions.
"""

from __future__ import annotations

import sys

import numpy as np

K = 10
MOST_ROWS = 7000


def clustered(items: int = 6000, dims: int = 384) -> np.ndarray:
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((1 + items // 50, dims), dtype=np.float32)
    noise = generator.standard_normal((items, dims), dtype=np.float32)
    return centres[generator.integers(0, len(centres), items)] + np.float32(0.8) * noise


def rotated(x: np.ndarray) -> np.ndarray:
    """Unit rows in the basis of principal directions, largest first, similar rows side by side."""
    x = x[np.linalg.norm(x, axis=1) > 0]
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    _, basis = np.linalg.eigh((x.T @ x).astype(np.float64))
    rows = (x @ basis[:, ::-1]).astype(np.float32)
    seeds = rows[np.random.default_rng(0).choice(len(rows), max(2, len(rows) // 48), replace=False)]
    return rows[np.argsort(np.argmax(rows @ seeds.T, axis=1), kind="stable")]


def study(name: str, x: np.ndarray) -> None:
    rows = rotated(x[:MOST_ROWS].astype(np.float32))
    items, dims = rows.shape
    scores = rows @ rows.T
    np.fill_diagonal(scores, -2)
    bar = -np.partition(-scores, K - 1, axis=1)[:, K - 1]
    for kept in (dims // 8, dims // 4, dims // 2, 3 * dims // 4):
        head = rows[:, :kept]
        rest = np.sqrt(np.maximum(0, 1 - np.square(head).sum(axis=1)))
        bound = head @ head.T + np.outer(rest, rest)
        alive = (bound >= bar[:, None]) | (bound >= bar[None, :])
        tiles = alive[: items // 8 * 8, : items // 48 * 48].reshape(items // 8, 8, items // 48, 48).any(axis=(1, 3))
        cost = kept / dims + tiles.mean() * (1 - kept / dims)
        print(f"| {name} | {dims} | {kept} | {alive.mean():.1%} | {tiles.mean():.1%} | {cost:.2f} |")


def main() -> None:
    print("| features | dims | m | pairs left | tiles left | cost |\n|---|---:|---:|---:|---:|---:|")
    for path in sys.argv[1:]:
        study("/".join(path.split("/")[-2:]), np.load(path))
    if not sys.argv[1:]:
        study("synthetic clusters", clustered())


if __name__ == "__main__":
    main()
