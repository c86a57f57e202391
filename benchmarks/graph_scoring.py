"""Which item graph recommends best by itself? Scores without any training, for every form of graph.

    PYTHONPATH=build/dev/python build/venv/bin/python benchmarks/graph_scoring.py --data DATA

A user's score for an item b is the sum of w_ba over the user's training items a, w_ba the weight of b's edge to a; the
training items themselves are left out, and the other items ranked that have a score. So nothing is learned, nothing
random happens, and the graph alone decides: content only, where it has no edges by audience. DATA holds one directory a
set, as benchmarks/README.md lists them; a set that is not there is left out by name.

Every form of graph takes the settings that are best on validation (Recall@20), out of all that this file lists. p:
paired over the users of the test split against the KNN graph, two-sided, normal.

Needs NumPy and SciPy, and the Python package of graft.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from refinement_page import BOTH, DENOISED, ENHANCED, SUM, probability

import graft

CUTOFF = 20
SETS: dict[str, tuple[tuple[str, float], ...]] = {  # similarity of each set, with the weights of FREEDOM's mix
    "baby": (("knn10_text.npz", 0.9), ("knn10_image.npz", 0.1)),
    "sports": (("knn10_text.npz", 0.9), ("knn10_image.npz", 0.1)),
    "microlens": (("knn10_text.npz", 0.9), ("knn10_image.npz", 0.1)),
    "tiktok": (("image_feat.npy", 1.0),),
}
QUANTILES = (0.1, 0.3, 0.5, 0.7)  # of the similarities of a modality's edges: what denoising prunes
AUDIENCES = (10, 20, 50)
FACTORS = (0.5, 1.0, 2.0, 4.0)  # of the audience graph, parts normalised
SUPPORTS = (1, 2, 3, 5)

KNN, AUDIENCE = "KNN graph", "audience graph alone"


HEAD = """# Which item graph recommends best by itself?

Made by [graph_scoring.py](graph_scoring.py), whose head says how items are scored; nothing is trained:

```sh
PYTHONPATH=build/dev/python build/venv/bin/python benchmarks/graph_scoring.py --data DATA
```

Test metrics. Of each form of graph the settings are those with the best validation Recall@20. *Change* is in Recall@20
against the KNN graph; *p* is paired over the users of the test split, two-sided, normal. *Pruned*: share of the KNN
edges that the threshold leaves out.
"""


@dataclass
class Split:
    """What is held out of a set."""

    users: np.ndarray  # those with held-out and training rows, ascending
    wanted: sp.csr_array  # a row each of these users x items: how many rows hold out the pair


@dataclass
class Score:
    """How a graph ranks."""

    recall: np.ndarray  # Recall@20 of each user of the split
    ndcg: np.ndarray


@dataclass
class Candidate:
    """A graph and how it is made."""

    form: str
    settings: str
    graph: sp.csr_array
    valid: Score = field(init=False)
    test: Score = field(init=False)


class Data:
    """A set in memory: training matrix, held-out rows, similarity graphs."""

    def __init__(self, directory: Path, sources: tuple[tuple[str, float], ...]) -> None:
        self.graphs = [(self.similarity(directory / file), weight) for file, weight in sources]
        items = self.graphs[0][0].shape[0]
        table = graft.read_inter_table(directory / f"{directory.name}.inter")
        self.shape = (int(table.users.max()) + 1, items)
        self.train = self.matrix(table, 0)
        self.train.data[:] = 1
        self.interactions = graft.read_inter(directory / f"{directory.name}.inter", items=items)
        self.valid, self.test = (self.held_out(table, label) for label in (1, 2))

    @staticmethod
    def similarity(file: Path) -> sp.csr_array:
        if file.suffix == ".npz":
            return sp.csr_array(sp.load_npz(file))
        features = np.load(file).astype(np.float32)
        return graft.knn_graph(features, k=10, self="keep").to_scipy()

    def matrix(self, table: Any, label: int) -> sp.csr_array:
        rows = table.labels == label
        pairs = (table.users[rows], table.items[rows])
        return sp.coo_array((np.ones(np.count_nonzero(rows)), pairs), shape=self.shape).tocsr()

    def held_out(self, table: Any, label: int) -> Split:
        wanted = self.matrix(table, label)
        users = np.flatnonzero((np.diff(wanted.indptr) > 0) & (np.diff(self.train.indptr) > 0))
        return Split(users, wanted[users])

    def refined(self, quantile: float, **options: Any) -> sp.csr_array:
        """The graph of graft; alpha is this quantile of each modality's edges, 0 prunes none."""
        modalities = []
        for graph, weight in self.graphs:
            edges = graph.tocoo()
            alpha = float(np.quantile(edges.data[edges.row != edges.col], quantile)) if quantile else -1.0
            modalities.append(graft.Modality(similarity=graph, weight=weight, threshold=alpha))
        return graft.refine(modalities, self.interactions, preset="reference", **options).to_scipy()

    def score(self, graph: sp.csr_array, split: Split) -> Score:
        own = self.train[split.users]
        scores = (own @ graph.T.tocsr().astype(np.float64)).tocsr()
        scores = (scores - scores.multiply(own)).tocoo()  # training items are left out
        scored = scores.data > 0
        rows, items, values = scores.row[scored], scores.col[scored], scores.data[scored]
        order = np.lexsort((items, -values, rows))  # of equal scores the lower id comes first, as everywhere
        rows, items = rows[order], items[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        listed = rank < CUTOFF
        rows, items, rank = rows[listed], items[listed], rank[listed]
        hits = np.asarray(split.wanted[rows, items]).ravel() > 0
        count = np.asarray(split.wanted.sum(axis=1)).ravel()
        gain = 1 / np.log2(np.arange(CUTOFF) + 2)
        ideal = np.cumsum(gain)[np.minimum(count, CUTOFF).astype(int) - 1]
        recall = np.bincount(rows, weights=hits, minlength=len(split.users)) / count
        return Score(recall, np.bincount(rows, weights=hits * gain[rank], minlength=len(split.users)) / ideal)


def candidates(data: Data) -> Iterator[Candidate]:
    for weights, quantile in itertools.product(("binary", "similarity"), (0.0, *QUANTILES)):
        form = DENOISED if quantile else KNN
        text = f"{weights} weights" + (f", {quantile:.0%} pruned" if quantile else "")
        yield Candidate(form, text, data.refined(quantile, jaccard_k=0, weights=weights))
    for quantile, k in itertools.product((0.0, *QUANTILES), AUDIENCES):
        text = f"{quantile:.0%} pruned, K_c {k}"
        yield Candidate(SUM, text, data.refined(quantile, jaccard_k=k))
    for quantile, k, factor, support in itertools.product((0.0, 0.3, 0.5), AUDIENCES, FACTORS, SUPPORTS):
        form = BOTH if quantile else ENHANCED
        text = f"{quantile:.0%} pruned, " if quantile else ""
        text += f"K_c {k}, factor {factor:g}, support {support}"
        options = {"jaccard_k": k, "min_support": support, "normalize_parts": True, "enhancement_weight": factor}
        yield Candidate(form, text, data.refined(quantile, weights="similarity", **options))
    for k, support in itertools.product(AUDIENCES, SUPPORTS):
        graph = graft.jaccard_graph(data.interactions, k=k, min_support=support)
        yield Candidate(AUDIENCE, f"K_c {k}, support {support}", graft.normalize(graph, "symmetric").to_scipy())


def chosen(data: Data) -> dict[str, Candidate]:
    """The best of each form on validation, measured on the test split."""
    best: dict[str, Candidate] = {}
    for candidate in candidates(data):
        candidate.valid = data.score(candidate.graph, data.valid)
        known = best.get(candidate.form)
        if known is None or candidate.valid.recall.mean() > known.valid.recall.mean():
            best[candidate.form] = candidate
    for candidate in best.values():
        candidate.test = data.score(candidate.graph, data.test)
    return best


def p_value(mine: np.ndarray, other: np.ndarray) -> str:
    difference = mine - other
    error = difference.std(ddof=1) / math.sqrt(difference.size)
    if error == 0:
        return "–"
    return probability(math.erfc(abs(difference.mean()) / error / math.sqrt(2)))


def table(best: dict[str, Candidate]) -> list[str]:
    lines = [
        "| item graph | settings | valid R@20 | R@20 | N@20 | change | p, users |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    knn = best[KNN].test
    for form in (KNN, DENOISED, SUM, ENHANCED, BOTH, AUDIENCE):
        candidate = best[form]
        recall = candidate.test.recall
        cells = [form, candidate.settings, f"{candidate.valid.recall.mean():.4f}", f"{recall.mean():.4f}"]
        cells.append(f"{candidate.test.ndcg.mean():.4f}")
        if form == KNN:
            cells += ["–", "–"]
        else:
            cells += [f"{recall.mean() / knn.recall.mean() - 1:+.1%}", p_value(recall, knn.recall)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory of the sets")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "SCORING.md", help="the page to write")
    arguments = parser.parse_args()
    lines = [HEAD]
    for name in arguments.sets:
        directory = arguments.data / name
        if not directory.is_dir():
            print(f"{name}: not in {arguments.data}", file=sys.stderr)
            continue
        lines += [f"## {name}", "", *table(chosen(Data(directory, SETS[name]))), ""]
        arguments.out.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
