"""Graphs from features and interactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graft import _core, _inputs
from graft._context import Context, backend_of, running
from graft._core import Graph
from graft._types import (
    AudienceMeasure,
    Backend,
    Explanation,
    GraphLike,
    Identical,
    InteractionsLike,
    MatrixLike,
    Metric,
    Modality,
    Normalization,
    Plan,
    Preset,
    ProgressCallback,
    Ranking,
    RefineSummary,
    RowRange,
    Self,
    Symmetrization,
    Weights,
)
from graft.errors import InvalidArgument


def knn_graph(
    features: MatrixLike,
    *,
    k: int = 10,
    min_similarity: float | None = None,
    metric: Metric = "cosine",
    weights: Weights = "similarity",
    self: Self = "drop",
    row_range: RowRange | None = None,
    column_range: RowRange | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    backend: Backend | None = None,
    context: Context | None = None,
) -> Graph:
    """Joins every item to its k most similar items, by exact comparison of all pairs.

    Row a holds the k largest S_ab (cosine: <e_a, e_b> / (|e_a| |e_b|)), ordered by similarity descending, then column
    ascending; then those below `min_similarity` are left out. With binary weights, cosine and min_similarity = alpha
    this is the denoised graph of MLLMRec, Eq. 6-7.

    Args:
        features: [items, dims]; need not be normalised. float32 with contiguous rows is read in place; float16,
            float64 and other layouts are converted in a copy. A CUDA array or tensor of float32 is read where it is,
            after the work queued on its device, with backend "cuda" or "auto".
        k: neighbours a row keeps, >= 1; above the number of candidates keeps them all.
        min_similarity: inclusive, in the metric's unit ([-1, 1] for cosine); None: no bound.
        metric: "cosine", "dot" or "l2" (-distance^2: larger is nearer).
        weights: "similarity", or "binary": 1.
        self: "drop" (by index), or "keep": self takes one of the k places and is first.
        row_range: (begin, end) rows to compute; the others are empty. `merge_top_k` joins parts.
        column_range: (begin, end) candidates; parts are joined by `merge_top_k`.
        threads: as in Context.
        progress: as in Context.
        backend: as in Context.
        context: memory budget, numeric path, cancellation.

    Returns:
        Graph [items, items] with at most k edges a row; cosine weights lie in [-1, 1].

    Raises:
        InvalidArgument: an option; a NaN or infinite feature (names the row).
        OutOfMemory: the memory budget is too small (names the least).
        BackendUnavailable: features on a device; a forced path that is absent.
        Cancelled: by a token.

    >>> import graft, numpy as np
    >>> x = np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)
    >>> graft.knn_graph(x, k=1, min_similarity=0.5).to_scipy().toarray().round(3)
    array([[0.   , 0.995, 0.   ],
           [0.995, 0.   , 0.   ],
           [0.   , 0.   , 0.   ]], dtype=float32)
    """
    values = _knn_values(k, min_similarity, metric, weights, self, row_range, column_range)
    if _inputs.is_on_device(features) and backend_of(context, backend) != "cpu":
        with (
            _inputs.device_matrix("knn_graph", "features", features) as on_device,
            running(context, threads, progress, backend) as settings,
        ):
            return _core.knn_graph_on_device(on_device, values, settings)
    array = _inputs.matrix("knn_graph", "features", features)
    with running(context, threads, progress, backend) as settings:
        return _core.knn_graph(array, values, settings)


def _knn_values(
    k: int,
    min_similarity: float | None,
    metric: Metric,
    weights: Weights,
    self: Self,
    row_range: RowRange | None,
    column_range: RowRange | None,
) -> dict[str, Any]:
    return {
        "k": k,
        "min_similarity": min_similarity,
        "metric": metric,
        "weights": weights,
        "self": self,
        "row_range": row_range,
        "column_range": column_range,
    }


def plan_knn_graph(
    items: int,
    dims: int,
    *,
    k: int = 10,
    min_similarity: float | None = None,
    metric: Metric = "cosine",
    weights: Weights = "similarity",
    self: Self = "drop",
    row_range: RowRange | None = None,
    column_range: RowRange | None = None,
    threads: int | None = None,
    context: Context | None = None,
) -> Plan:
    """What `knn_graph` would cost for [items, dims] features; same arguments and errors, nothing is computed.

    >>> import graft
    >>> graft.plan_knn_graph(1000, 64, k=5).output_bytes
    52008
    """
    values = _knn_values(k, min_similarity, metric, weights, self, row_range, column_range)
    with running(context, threads, None) as settings:
        return Plan(*_core.plan_knn_graph({"items": items, "dims": dims}, values, settings))


def jaccard_graph(
    interactions: InteractionsLike,
    *,
    k: int = 10,
    min_support: int = 1,
    self: Self = "drop",
    identical: Identical = "keep",
    measure: AudienceMeasure = "jaccard",
    row_range: RowRange | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    backend: Backend | None = None,
    context: Context | None = None,
) -> Graph:
    """Joins every item to the k items whose audiences overlap its own most.

    C_ab = |U_a n U_b| / |U_a u U_b| (MLLMRec, Eq. 8-9); row a keeps the k largest, ordered by value descending (as
    exact fractions), then column ascending. Zero is never an edge; an empty audience gives an empty row.

    Args:
        interactions: TRAINING interactions: Interactions, or a users x items SciPy matrix (converted in a copy).
        k: neighbours a row keeps, >= 1.
        min_support: least common audience of an edge, >= 1.
        self: "drop" or "keep".
        identical: pairs with the same audience: "keep", "drop", or "reference": as MLLMRec's published code.
        measure: "jaccard"; "cosine" c/sqrt(d_a d_b); "overlap" c/min(d_a, d_b); "pmi" log(c U/(d_a d_b)) where
            positive; "log_likelihood": Dunning's G^2 where the association is positive.
        row_range: (begin, end) rows to compute; the others are empty.
        threads: as in Context.
        progress: as in Context.
        backend: as in Context.
        context: memory budget, cancellation.

    Returns:
        Graph [items, items] with at most k edges a row; the same bits on every machine for the first three measures.

    Raises:
        InvalidArgument: an option.
        OutOfMemory: the memory budget is too small (names the least).
        Cancelled: by a token.

    >>> import graft
    >>> train = graft.Interactions.from_pairs([0, 0, 1, 1, 2], [0, 1, 0, 1, 1])
    >>> graft.jaccard_graph(train, k=1).data
    array([0.6666667, 0.6666667], dtype=float32)
    """
    held = _inputs.interactions("jaccard_graph", interactions)
    values = _jaccard_values(k, min_support, self, identical, measure, row_range)
    with running(context, threads, progress, backend) as settings:
        return _core.jaccard_graph(held, values, settings)


def _jaccard_values(
    k: int,
    min_support: int,
    self: Self,
    identical: Identical,
    measure: AudienceMeasure,
    row_range: RowRange | None,
) -> dict[str, Any]:
    return {
        "k": k,
        "min_support": min_support,
        "self": self,
        "identical": identical,
        "measure": measure,
        "row_range": row_range,
    }


def plan_jaccard_graph(
    interactions: InteractionsLike,
    *,
    k: int = 10,
    min_support: int = 1,
    self: Self = "drop",
    identical: Identical = "keep",
    measure: AudienceMeasure = "jaccard",
    row_range: RowRange | None = None,
    threads: int | None = None,
    context: Context | None = None,
) -> Plan:
    """What `jaccard_graph` would cost; same arguments and errors, nothing is computed."""
    held = _inputs.interactions("jaccard_graph", interactions)
    values = _jaccard_values(k, min_support, self, identical, measure, row_range)
    with running(context, threads, None) as settings:
        return Plan(*_core.plan_jaccard_graph(held, values, settings))


def refine(
    features: MatrixLike | GraphLike | Sequence[Modality],
    interactions: InteractionsLike,
    *,
    knn_k: int = 10,
    threshold: float = 0.5,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "noself",
    weights: Weights = "binary",
    symmetrize: Symmetrization | None = None,
    add_self_loops: bool = False,
    normalization: Normalization = "symmetric",
    epsilon: float = 0.0,
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    backend: Backend | None = None,
    context: Context | None = None,
) -> Graph:
    """Refines the item-item graph: denoise by similarity, enhance by common audience, add, normalise.

    W = S~ + C~ (S~: top-K_s cosine edges >= alpha, binary; C~: top-K_c Jaccard edges), then N^-1/2 W N^-1/2
    (MLLMRec, Eq. 7-11).

    Args:
        features: [items, dims] as for `knn_graph`; or a ready similarity graph (Graph or SciPy); or a list of Modality,
            which each give a thresholded graph, summed with their weights.
        interactions: TRAINING interactions, with as many items as the features have rows.
        knn_k: K_s, neighbours by similarity, >= 1.
        threshold: alpha, inclusive, in [-1, 1]; -1 switches denoising off.
        jaccard_k: K_c, neighbours by audience, >= 0; 0 switches enhancement off.
        min_support: least common audience of an edge of C~, >= 1. An edge of one user falls with that user; one of 2 or
            more survives leaving any one user out.
        preset: "noself" (no item is its own neighbour), "reference" (as MLLMRec's published code), "paper" (the
            equations read literally).
        weights: of the similarity edges: "binary" or "similarity".
        symmetrize: makes W symmetric before normalisation: "max", "mean" or "min"; None: W stays directed.
        add_self_loops: adds 1 to the diagonal of W before normalisation.
        normalization: "symmetric", "row" or "none".
        epsilon: added to row sums, >= 0.
        normalize_parts: normalises S~ and C~ apart and adds them then. Beside binary similarity edges, Jaccard values
            (mostly below 0.1) weigh little; apart, both graphs have a say.
        enhancement_weight: factor of C~ in the sum, >= 0; 0 leaves C~ out.
        threads: as in Context.
        progress: as in Context.
        backend: as in Context.
        context: memory budget, numeric path, cancellation.

    Returns:
        Graph [items, items] with at most knn_k + jaccard_k edges a row (one more with add_self_loops).

    Raises:
        InvalidArgument: an option; sizes that differ (names both); what knn_graph and jaccard_graph refuse.
        OutOfMemory: the memory budget is too small.
        BackendUnavailable: features on a device; a forced path that is absent.
        Cancelled: by a token.

    >>> import graft, numpy as np
    >>> x = np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)
    >>> train = graft.Interactions.from_pairs([0, 0, 1], [1, 2, 0])
    >>> graft.refine(x, train, knn_k=1, threshold=0.5, jaccard_k=1)
    <graft.Graph: 3 items, 4 edges>
    """
    graph, _ = refine_with_summary(
        features,
        interactions,
        knn_k=knn_k,
        threshold=threshold,
        jaccard_k=jaccard_k,
        min_support=min_support,
        preset=preset,
        weights=weights,
        symmetrize=symmetrize,
        add_self_loops=add_self_loops,
        normalization=normalization,
        epsilon=epsilon,
        normalize_parts=normalize_parts,
        enhancement_weight=enhancement_weight,
        threads=threads,
        progress=progress,
        backend=backend,
        context=context,
    )
    return graph


def refine_with_summary(
    features: MatrixLike | GraphLike | Sequence[Modality],
    interactions: InteractionsLike,
    *,
    knn_k: int = 10,
    threshold: float = 0.5,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "noself",
    weights: Weights = "binary",
    symmetrize: Symmetrization | None = None,
    add_self_loops: bool = False,
    normalization: Normalization = "symmetric",
    epsilon: float = 0.0,
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    backend: Backend | None = None,
    context: Context | None = None,
) -> tuple[Graph, RefineSummary]:
    """As `refine`, with what it did: what the threshold pruned, what enhancement added, what is left alone."""
    modalities = modalities_of(features)
    held = _inputs.interactions("refine", interactions)
    values = {
        "knn_k": knn_k,
        "threshold": threshold,
        "jaccard_k": jaccard_k,
        "min_support": min_support,
        "preset": preset,
        "weights": weights,
        "symmetrize": symmetrize,
        "add_self_loops": add_self_loops,
        "normalization": normalization,
        "epsilon": epsilon,
        "normalize_parts": normalize_parts,
        "enhancement_weight": enhancement_weight,
    }
    with running(context, threads, progress, backend) as settings:
        graph, counts = _core.refine(modalities, held, values, settings)
    return graph, RefineSummary(**counts)


def modalities_of(features: MatrixLike | GraphLike | Sequence[Modality]) -> list[dict[str, Any]]:
    """The sources of similarity as the compiled part takes them."""
    if isinstance(features, (list, tuple)) and any(isinstance(source, Modality) for source in features):
        return [_modality(f"features[{place}]", source) for place, source in enumerate(features)]
    if isinstance(features, Graph) or _inputs._is_sparse(features):
        return [{"similarity": _inputs.graph("refine", "features", features)}]  # type: ignore[arg-type]
    return [{"features": _inputs.matrix("refine", "features", features)}]  # type: ignore[arg-type]


def _modality(name: str, source: object) -> dict[str, Any]:
    if not isinstance(source, Modality):
        raise TypeError(f"refine: {name}: must be a graft.Modality, as the others")
    values: dict[str, Any] = {"weight": source.weight, "threshold": source.threshold}
    if source.features is not None:
        values["features"] = _inputs.matrix("refine", f"{name}.features", source.features)
    if source.similarity is not None:
        values["similarity"] = _inputs.graph("refine", f"{name}.similarity", source.similarity)
    return values


def explain(
    features: MatrixLike,
    interactions: InteractionsLike,
    i: int,
    j: int,
    *,
    knn_k: int = 10,
    threshold: float = 0.5,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "noself",
    weights: Weights = "binary",
    context: Context | None = None,
) -> Explanation:
    """Tells why edge i <- j is, or is not, in `refine(features, interactions, ...)`, by the same kernels.

    Args:
        features: as for `refine`.
        interactions: as for `refine`.
        i: the receiving item.
        j: the item that it would receive from.
        knn_k: as for `refine`, and so are the others.
        threshold: see `refine`.
        jaccard_k: see `refine`.
        min_support: see `refine`.
        preset: see `refine`.
        weights: see `refine`.
        context: memory budget, numeric path, cancellation.

    Returns:
        Cosine and rank, audiences and rank, and the rule that decided on each side.

    Raises:
        InvalidArgument: i or j is no item; as `refine`.

    >>> import graft, numpy as np
    >>> x = np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32)
    >>> train = graft.Interactions.from_pairs([0, 0, 1], [1, 2, 0])
    >>> graft.explain(x, train, 0, 2, knn_k=1, threshold=0.5).similarity_rule
    'below_rank'
    """
    array = _inputs.matrix("explain", "features", features)
    held = _inputs.interactions("explain", interactions)
    values = {
        "knn_k": knn_k,
        "threshold": threshold,
        "jaccard_k": jaccard_k,
        "min_support": min_support,
        "preset": preset,
        "weights": weights,
    }
    with running(context, None, None) as settings:
        return Explanation(**_core.explain(array, held, {"i": i, "j": j}, values, settings))


def top_k_scores(
    queries: MatrixLike,
    items: MatrixLike,
    *,
    k: int = 10,
    metric: Metric = "dot",
    min_score: float | None = None,
    exclude: InteractionsLike | None = None,
    row_range: RowRange | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    backend: Backend | None = None,
    context: Context | None = None,
) -> Ranking:
    """Ranks the catalogue for every query: new items against old ones, recommendation, evaluation.

    Row q holds the k largest S(query q, item i) over the items not excluded for q, by score descending, then id
    ascending.

    Args:
        queries: [queries, dims]; with a CUDA backend also float32 on the device, together with `items`, as `knn_graph`
            reads it.
        items: [items, dims].
        k: >= 1; above the number of candidates keeps them all.
        metric: "dot", "cosine" or "l2".
        min_score: inclusive; None: no bound.
        exclude: items that a query must not get, e.g. each user's training items: queries x items.
        row_range: (begin, end) queries to compute; the rows of the others are empty.
        threads: as in Context.
        progress: as in Context.
        backend: as in Context.
        context: memory budget, numeric path, cancellation.

    Returns:
        Ids and scores of each query.

    Raises:
        InvalidArgument: an option; sizes that differ; a NaN or infinite feature (names the matrix and the row).
        OutOfMemory: the memory budget is too small.
        Cancelled: by a token.

    >>> import graft, numpy as np
    >>> graft.top_k_scores(np.eye(2, 3, dtype="f4"), np.eye(3, dtype="f4"), k=1).ids
    array([0, 1], dtype=int32)
    """
    values = {"k": k, "metric": metric, "min_score": min_score, "row_range": row_range}
    sides = (_inputs.is_on_device(queries), _inputs.is_on_device(items))
    if any(sides) and backend_of(context, backend) != "cpu":
        if not all(sides):
            where = (
                "queries are on a device and items are not" if sides[0] else "items are on a device, queries are not"
            )
            raise InvalidArgument(f"top_k_scores: {where}: must be in one memory")
        with (
            _inputs.device_matrix("top_k_scores", "queries", queries) as query_matrix,
            _inputs.device_matrix("top_k_scores", "items", items) as item_matrix,
            running(context, threads, progress, backend) as settings,
        ):
            excluded = _inputs.exclusions("top_k_scores", exclude, query_matrix[1])
            return Ranking(*_core.top_k_scores_on_device(query_matrix, item_matrix, excluded, values, settings))
    query_array = _inputs.matrix("top_k_scores", "queries", queries)
    item_array = _inputs.matrix("top_k_scores", "items", items)
    excluded = _inputs.exclusions("top_k_scores", exclude, len(query_array))
    with running(context, threads, progress, backend) as settings:
        return Ranking(*_core.top_k_scores(query_array, item_array, excluded, values, settings))


def plan_top_k_scores(
    queries: int,
    items: int,
    dims: int,
    *,
    k: int = 10,
    metric: Metric = "dot",
    min_score: float | None = None,
    row_range: RowRange | None = None,
    threads: int | None = None,
    context: Context | None = None,
) -> Plan:
    """What `top_k_scores` would cost for such sizes; same arguments and errors, nothing is computed."""
    sizes = {"queries": queries, "items": items, "dims": dims}
    values = {"k": k, "metric": metric, "min_score": min_score, "row_range": row_range}
    with running(context, threads, None) as settings:
        return Plan(*_core.plan_top_k_scores(sizes, values, settings))
