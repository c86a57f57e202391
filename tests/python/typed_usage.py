"""What users' typed code may say; mypy --strict checks it, and test_typing.py runs both."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

import graft


def pipeline(features: npt.NDArray[np.float32], train: graft.Interactions) -> graft.Graph:
    """Operators take and give graphs."""
    similar = graft.knn_graph(features, k=5, min_similarity=0.1, metric="cosine", weights="binary", self="drop")
    audience = graft.jaccard_graph(train, k=5, measure="jaccard", row_range=(0, len(features)))
    return graft.normalize(graft.add(similar, audience), "symmetric", epsilon=1e-7)


def results(folder: Path) -> list[float]:
    """Results have types of their own."""
    features = np.eye(6, 4, dtype=np.float32)
    train, users, items = graft.Interactions.from_ids(["a", "b", "a"], [1, 2, 2])
    assert len(users) == len(items) == train.users
    whole = graft.Interactions.from_pairs([0, 0, 1], [0, 1, 5], items=6)
    graph = pipeline(features, whole)
    matrix = graph.to_scipy()
    again = graft.Graph.from_scipy(sp.coo_array(matrix))
    graph.save_npz(folder / "graph.npz", {"k": "5"})
    stored, facts = graft.load_npz_with_provenance(folder / "graph.npz")
    assert stored == graph == again
    assert facts["k"].isdigit()
    refined, summary = graft.refine_with_summary([graft.Modality(features=features)], whole, preset="noself")
    ranking = graft.top_k_scores(features, features, k=2, exclude=sp.csr_array((6, 6)))
    why: graft.Explanation = graft.explain(features, whole, 0, 1)
    plan = graft.plan_knn_graph(10, 4, context=graft.Context(threads=1, path="baseline"))
    embeddings: npt.NDArray[np.float32] = graft.propagate(refined, features, 1, "mean")
    return [float(embeddings.sum()), why.jaccard, plan.flops, float(ranking.row_scores(0)[0]), float(summary.edges)]
