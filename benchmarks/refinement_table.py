"""What refinement does to published neighbour graphs: the table of the README.

    build/venv/bin/python benchmarks/refinement_table.py --graft build/release/graft --data DIR

DIR holds a folder a data set with NAME.inter and either ready neighbours (knn10_text.npz, knn10_image.npz) or raw
features; sets that are absent are left out by name. For every similarity graph the table gives its edges, the share
that thresholds of .4 to .7 prune, and the share of edges whose two items have a common training user: before
refinement (the KNN graph), after denoising (alpha = .6), and after the whole refinement (preset noself, K_c = 10).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp

ALPHAS = (0.4, 0.5, 0.6, 0.7)
CHOSEN = 0.6
GRAPHS = (
    ("baby", "--graph", "knn10_text.npz"),
    ("baby", "--graph", "knn10_image.npz"),
    ("sports", "--graph", "knn10_text.npz"),
    ("sports", "--graph", "knn10_image.npz"),
    ("microlens", "--graph", "knn10_text.npz"),
    ("microlens", "--graph", "knn10_image.npz"),
    ("tiktok", "--features", "image_feat.npy"),
)


def train_matrix(inter: Path, items: int) -> sp.csc_array:
    """Binary users x items matrix of the training rows."""
    header = inter.open(encoding="utf-8").readline().rstrip("\n").split("\t")
    table = np.loadtxt(inter, np.int64, delimiter="\t", skiprows=1)
    rows = table[table[:, header.index("x_label")] == 0]
    users, ids = rows[:, header.index("userID")], rows[:, header.index("itemID")]
    return sp.coo_array((np.ones(len(rows), np.int32), (users, ids)), shape=(users.max() + 1, items)).tocsc()


def share_of_common_users(graph: sp.csr_array, train: sp.csc_array) -> float:
    """Share of off-diagonal edges whose items have a user in common."""
    edges = graph.tocoo()
    off = edges.row != edges.col
    co_occurrence = (train.T @ train).tocsr()
    pattern = sp.coo_array((np.ones(off.sum()), (edges.row[off], edges.col[off])), shape=graph.shape).tocsr()
    return pattern.multiply(co_occurrence > 0).nnz / max(1, pattern.nnz)


def refine(binary: Path, folder: Path, kind: str, source: str, *options: str) -> tuple[sp.csr_array, dict]:
    with tempfile.TemporaryDirectory() as scratch:
        out, summary = Path(scratch) / "graph.npz", Path(scratch) / "summary.json"
        inter = folder / f"{folder.name}.inter"
        command = [binary, "refine", kind, folder / source, "--interactions", inter, "--quiet"]
        command += ["--out", out, "--json", summary, "--normalization", "none", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sp.csr_array(sp.load_npz(out)), json.loads(summary.read_text(encoding="utf-8"))


def row(binary: Path, folder: Path, kind: str, source: str) -> str:
    def alone(alpha: float) -> sp.csr_array:
        return refine(binary, folder, kind, source, "--jaccard-k", "0", "--threshold", str(alpha))[0]

    before = alone(-1)
    pruned = [1 - alone(alpha).nnz / before.nnz for alpha in ALPHAS]
    after, _ = refine(binary, folder, kind, source, "--threshold", str(CHOSEN))
    train = train_matrix(folder / f"{folder.name}.inter", before.shape[0])
    shares = [share_of_common_users(graph, train) for graph in (before, alone(CHOSEN), after)]
    name = f"{folder.name}, {source.removeprefix('knn10_').split('.')[0].removesuffix('_feat')}"
    cells = [name, f"{before.nnz:,}", *(f"{share:.1%}" for share in pruned), f"{after.nnz:,}"]
    return "| " + " | ".join([*cells, *(f"{share:.1%}" for share in shares)]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graft", type=Path, required=True, help="the graft program")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    args = parser.parse_args()
    heads = ["similarity graph", "edges", *(f"pruned at {alpha}" for alpha in ALPHAS), "edges, refined"]
    heads += ["common user: KNN", f"denoised ({CHOSEN})", "refined"]
    print("| " + " | ".join(heads) + " |\n|---" + "|---:" * (len(heads) - 1) + "|")
    for name, kind, source in GRAPHS:
        if (args.data / name / source).exists():
            print(row(args.graft, args.data / name, kind, source), flush=True)
        else:
            print(f"left out: {name}/{source} is not in {args.data}", file=sys.stderr)


if __name__ == "__main__":
    main()
