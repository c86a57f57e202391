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


def trained(data: Path, out: Path) -> graft.Run:
    """Training takes and tells typed values."""
    losses: list[float] = []

    def note(report: graft.EpochReport) -> None:
        losses.append(report.loss)

    settings: dict[str, object] = {"epochs": 1, "embedding_size": 8, "learning_rate": 1e-3}
    run = graft.train("lightgcn", data, out, graph="vanilla", settings=settings, on_epoch=note, threads=1)
    assert run.log["loss"].tolist() == losses
    vectors: npt.NDArray[np.float32] = run.user_embeddings
    found = graft.evaluate(vectors, run.item_embeddings, data, cutoffs=(5, 20))
    assert found["valid"]["recall@20"] == run.valid["recall@20"]
    assert len(graft.Run(out).recommend([0], k=3).row_ids(0)) == 3
    return run


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
    graft.prepare.synth(folder / "toy", users=60, items=50, interactions=900)
    assert trained(folder / "toy", folder / "run").epochs == 1
    assert all(model.name and model.settings[0].default_value for model in graft.models())
    return [float(embeddings.sum()), why.jaccard, plan.flops, float(ranking.row_scores(0)[0]), float(summary.edges)]
