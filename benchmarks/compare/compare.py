"""Times graft beside its peers, in one run, and writes a Markdown table.

    python benchmarks/compare/compare.py --worker build/release/benchmarks/graft_compare_worker --out table.md

Every operation runs in rounds: each round times every contender once, in turn, so that a change of the machine's
speed hits all alike. Quoted are medians over the rounds, and the median of the ratios to graft within a round. A peer
whose package is missing is left out by name. Data are synthetic, in the shapes of the published data sets.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

THREADS = os.cpu_count() or 1
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)

import numpy as np  # noqa: E402  (the thread count must be set first)
import scipy.sparse as sp  # noqa: E402

K = 10
PAUSE = 0.5  # seconds before each: OpenMP's idle threads spin for up to 0.2 s and would slow the next contender
KNN_SIZES = ["7050x384", "18357x384", "23033x384", "63001x384", "18357x4096"]
Run = Callable[[], object]


@dataclass(frozen=True)
class Shape:
    """Sizes of a data set; skews are exponents of a power law, 1 is flat."""

    users: int
    items: int
    interactions: int
    user_skew: float
    item_skew: float


SHAPES = {
    "baby": Shape(19_445, 7_050, 118_551, 1.3, 2.0),
    "sports": Shape(35_598, 18_357, 218_409, 1.3, 2.0),
    "clothing": Shape(39_387, 23_033, 197_338, 1.2, 1.6),
    "electronics": Shape(192_403, 63_001, 1_689_188, 1.4, 2.2),
    "skewed": Shape(1_000_000, 200_000, 10_000_000, 2.0, 3.0),
}


def features_of(items: int, dims: int) -> np.ndarray:
    """[items, dims] float32 rows around cluster centres, as learned embeddings are."""
    generator = np.random.default_rng(7)
    centres = generator.standard_normal((1 + items // 50, dims), dtype=np.float32)
    noise = generator.standard_normal((items, dims), dtype=np.float32)
    return centres[generator.integers(0, len(centres), items)] + np.float32(0.8) * noise


def interactions_of(shape: Shape) -> sp.csr_array:
    """Binary users x items matrix with power-law activity and popularity."""
    generator = np.random.default_rng(11)

    def draw(size: int, skew: float) -> np.ndarray:
        rank = (size * generator.random(shape.interactions) ** skew).astype(np.int64)
        return rank * 7919 % size  # 7919 is prime: scatters the popular ids

    users, items = draw(shape.users, shape.user_skew), draw(shape.items, shape.item_skew)
    matrix = sp.coo_array((np.ones(len(users), np.float32), (users, items)), shape=(shape.users, shape.items)).tocsr()
    matrix.data[:] = 1
    return matrix


class Worker:
    """graft in a process of its own, with the inputs loaded."""

    def __init__(self, binary: Path, operation: str, source: str) -> None:
        self.process = subprocess.Popen(
            [binary, operation, source, str(THREADS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.read() != "ready":
            raise RuntimeError(f"{binary} {operation} {source} did not start")

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, request: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def timed(run: Run) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def optional(name: str, make: Callable[[], dict[str, Run]]) -> dict[str, Run]:
    """The contenders of a package, or none, said aloud, where it is not installed."""
    try:
        return make()
    except ImportError as error:
        print(f"left out: {name} ({error})", file=sys.stderr)
        return {}


def normalized(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def numpy_knn(x: np.ndarray) -> dict[str, Run]:
    def run(block: int = 1024) -> None:
        rows = normalized(x)
        for begin in range(0, len(rows), block):
            scores = rows[begin : begin + block] @ rows.T
            best = np.argpartition(scores, -(K + 1), axis=1)[:, -(K + 1) :]
            np.take_along_axis(scores, best, axis=1)

    return {"NumPy, row blocks + argpartition": run}


def sgemm_only(x: np.ndarray) -> dict[str, Run]:
    def run(block: int = 1024) -> None:
        out = np.empty((block, len(x)), np.float32)
        for begin in range(0, len(x), block):
            rows = x[begin : begin + block]
            np.matmul(rows, x.T, out=out[: len(rows)])

    return {"(sgemm of items x items alone, NumPy)": run}


def faiss_knn(x: np.ndarray) -> dict[str, Run]:
    import faiss

    faiss.omp_set_num_threads(THREADS)

    def run() -> None:
        rows = x.copy()
        faiss.normalize_L2(rows)
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        index.search(rows, K + 1)

    return {"FAISS IndexFlatIP": run}


def torch_knn(x: np.ndarray) -> dict[str, Run]:
    import torch

    torch.set_num_threads(THREADS)
    features = torch.from_numpy(x)

    def run(block: int) -> None:
        rows = torch.nn.functional.normalize(features)
        for begin in range(0, len(rows), block):
            torch.topk(rows[begin : begin + block] @ rows.T, K + 1, dim=1)

    with torch.inference_mode():
        best = min((256, 512, 1024, 2048, 4096), key=lambda block: timed(lambda: run(block)))

    def tuned() -> None:
        with torch.inference_mode():
            run(best)

    return {f"PyTorch, blocks of {best} rows + topk": tuned}


def top_k_of_rows(matrix: sp.csr_array) -> None:
    """The K largest of every row, vectorised over rows of at most 4096 entries at a time."""
    for begin in range(0, matrix.shape[0], 4096):
        part = matrix[begin : begin + 4096].tocoo()
        order = np.lexsort((part.col, -part.data, part.row))
        rank = np.arange(len(order)) - np.searchsorted(part.row[order], part.row[order])
        order[rank < K]


def scipy_jaccard(r: sp.csr_array) -> dict[str, Run]:
    def run() -> None:
        degrees = np.asarray(r.sum(axis=0), np.float32)
        counts = (r.T.tocsr() @ r).tocoo()
        keep = counts.row != counts.col
        row, col, c = counts.row[keep], counts.col[keep], counts.data[keep]
        jaccard = c / (degrees[row] + degrees[col] - c)
        top_k_of_rows(sp.csr_array((jaccard, (row, col)), shape=counts.shape))

    return {"SciPy RᵀR + top-k (Jaccard)": run}


def sparse_dot_topn_cosine(r: sp.csr_array) -> dict[str, Run]:
    from sparse_dot_topn import sp_matmul_topn

    def run() -> None:
        scale = 1 / np.sqrt(np.maximum(np.asarray(r.sum(axis=0)), 1))
        items = sp.csr_matrix(r.T.tocsr() * scale[:, None])
        sp_matmul_topn(items, items.T.tocsr(), top_n=K + 1, n_threads=THREADS)

    return {"sparse_dot_topn (cosine)": run}


def implicit_cosine(r: sp.csr_array) -> dict[str, Run]:
    from implicit.nearest_neighbours import CosineRecommender

    matrix = sp.csr_matrix(r.astype(np.float64))

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own fit converts a COO matrix, and says so
            CosineRecommender(K=K + 1, num_threads=THREADS).fit(matrix, show_progress=False)

    return {"implicit CosineRecommender": run}


def graphblas_counts(r: sp.csr_array) -> dict[str, Run]:
    import graphblas as gb

    gb.ss.config["nthreads"] = THREADS
    users = gb.io.from_scipy_sparse(sp.csr_matrix(r))

    def run() -> None:
        counts = gb.semiring.plus_pair(users.T @ users).new(gb.dtypes.INT32)
        top_k_of_rows(gb.io.to_scipy_sparse(counts, "csr"))

    return {"GraphBLAS RᵀR + top-k (counts)": run}


def compare(ours: Worker, peers: dict[str, Run], rounds: int) -> list[tuple[str, float, float]]:
    """(name, median seconds, median ratio to graft) a contender, graft first."""
    times: dict[str, list[float]] = {"graft": [], **{name: [] for name in peers}}
    for round_number in range(-1, rounds):  # one round to warm up
        contenders = {"graft": lambda: float(ours.ask("run"))}
        contenders.update((name, lambda run=run: timed(run)) for name, run in peers.items())
        results = {}
        for name, seconds_of in contenders.items():
            time.sleep(PAUSE)
            results[name] = seconds_of()
        if round_number >= 0:
            for name, seconds in results.items():
                times[name].append(seconds)
    graft = times["graft"]
    print(", ".join(f"{name} {statistics.median(t):.3f} s" for name, t in times.items()), file=sys.stderr, flush=True)
    return [
        (name, statistics.median(t), statistics.median(a / b for a, b in zip(t, graft, strict=True)))
        for name, t in times.items()
    ]


def table(title: str, rows: list[tuple[str, float, float]], note: str) -> str:
    lines = [f"### {title}", "", "| | seconds (median) | time ÷ graft's |", "|---|---:|---:|"]
    lines += [f"| {name} | {seconds:.3f} | {ratio:.2f} |" for name, seconds, ratio in rows]
    return "\n".join([*lines, "", note, ""])


def write_inter(matrix: sp.csr_array, path: Path) -> None:
    pairs = matrix.tocoo()
    np.savetxt(path, np.column_stack([pairs.row, pairs.col]), "%d", "\t", header="userID\titemID", comments="")


def compare_knn(args: argparse.Namespace, folder: Path, items: int, dims: int) -> str:
    x = features_of(items, dims)
    path = folder / "features.npy"
    np.save(path, x)
    ours = Worker(args.worker, "knn", str(path))
    peers: dict[str, Run] = {}
    for name, make in (("faiss", faiss_knn), ("torch", torch_knn), ("numpy", numpy_knn), ("sgemm", sgemm_only)):
        peers.update(optional(name, lambda make=make: make(x)))
    rows = compare(ours, peers, args.rounds)
    peak = float(ours.ask("peak")) / 2**20
    ours.close()
    return table(f"KNN, cosine, K = {K}: {items:,} × {dims}", rows, f"graft's memory beyond the input: {peak:.0f} MiB.")


def compare_audience(args: argparse.Namespace, folder: Path, name: str) -> str:
    shape = SHAPES[name]
    r = interactions_of(shape)
    path = folder / f"{name}.inter"
    write_inter(r, path)
    work = int(np.square(r.sum(axis=1).astype(np.int64)).sum())
    ours = Worker(args.worker, "jaccard", str(path))
    peers: dict[str, Run] = {}
    contenders = [("sparse_dot_topn", sparse_dot_topn_cosine)]
    if name != "skewed":  # these hold every pair of items that share a user
        contenders += [("scipy", scipy_jaccard), ("implicit", implicit_cosine), ("graphblas", graphblas_counts)]
    for package, make in contenders:
        peers.update(optional(package, lambda make=make: make(r)))
    rows = compare(ours, peers, args.rounds)
    ours.close()
    per_count = rows[0][1] / work * 1e9
    note = f"Σ_u deg(u)² = {work / 1e6:.1f} M; graft: {per_count:.2f} ns for each, over {THREADS} threads."
    return table(f"Jaccard top-{K}: {name}, {shape.users:,} × {shape.items:,}, {r.nnz:,} interactions", rows, note)


def compare_refine(args: argparse.Namespace, folder: Path, name: str) -> str:
    shape = SHAPES[name]
    x = features_of(shape.items, 384)
    np.save(folder / "features.npy", x)
    write_inter(interactions_of(shape), folder / f"{name}.inter")
    ours = Worker(args.worker, "refine", f"{folder / 'features.npy'},{folder / f'{name}.inter'}")
    rows = compare(ours, sgemm_only(x), args.rounds)
    ours.close()
    return table(f"Whole refine: {name}, 384 dimensions", rows, "")


def machine() -> str:
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{THREADS} threads, {cpu}; Python {sys.version.split()[0]}, NumPy {np.__version__}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, required=True, help="the built graft_compare_worker")
    parser.add_argument("--out", type=Path, help="Markdown file; standard output if absent")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default 5)")
    parser.add_argument("--only", choices=["knn", "jaccard", "refine"], help="one group of operations")
    parser.add_argument(
        "--knn",
        nargs="+",
        metavar="ITEMSxDIMS",
        default=KNN_SIZES,
        help=f"sizes for knn (default {' '.join(KNN_SIZES)})",
    )
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), help="data sets for jaccard")
    args = parser.parse_args()
    parts = [f"Measured by `python benchmarks/compare/compare.py`: {machine()} Medians of {args.rounds} rounds.\n"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if args.only in (None, "knn"):
            parts += [compare_knn(args, folder, *map(int, size.split("x"))) for size in args.knn]
        if args.only in (None, "jaccard"):
            parts += [compare_audience(args, folder, name) for name in args.shapes]
        if args.only in (None, "refine"):
            parts += [compare_refine(args, folder, name) for name in ("baby", "electronics")]
    text = "\n".join(parts)
    if args.out:
        args.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
