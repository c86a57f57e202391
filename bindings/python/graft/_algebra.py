"""Graphs from graphs, and graph convolution.

Every `graph` is a graft.Graph or a square SciPy sparse matrix; int32 indices and float32 data are read in place.
`threads`, `progress` and `context` are those of graft.Context.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graft import _core, _inputs
from graft._context import Context, running
from graft._core import Graph
from graft._types import Aggregation, GraphLike, MatrixLike, Normalization, ProgressCallback, Symmetrization
from graft.errors import InvalidArgument


def threshold(
    graph: GraphLike,
    min_similarity: float,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Keeps the edges with weight >= min_similarity (inclusive, in float32); weights are unchanged (MLLMRec, Eq. 7).

    Raises:
        InvalidArgument: min_similarity is NaN or infinite.

    >>> import graft
    >>> graft.threshold(graft.Graph.identity(2, 0.5), 0.6)
    <graft.Graph: 2 items, 0 edges>
    """
    argument = _inputs.graph("threshold", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.threshold(argument, {"min_similarity": min_similarity}, settings)


def binarize(
    graph: GraphLike,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Gives every stored edge weight 1, an edge of weight 0 included.

    >>> import graft
    >>> graft.binarize(graft.Graph.identity(2, 0.5)).data
    array([1., 1.], dtype=float32)
    """
    argument = _inputs.graph("binarize", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.binarize(argument, {}, settings)


def top_k(
    graph: GraphLike,
    k: int,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Keeps the k heaviest edges of every row, by weight descending, then column ascending.

    Raises:
        InvalidArgument: k < 1.

    >>> import graft
    >>> graft.top_k(graft.Graph.from_csr(2, [0, 2, 2], [0, 1], [0.25, 0.5]), 1).indices
    array([1], dtype=int32)
    """
    argument = _inputs.graph("top_k", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.top_k(argument, {"k": k}, settings)


def symmetrize(
    graph: GraphLike,
    how: Symmetrization = "max",
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Gives a graph with A_ab = A_ba.

    Args:
        graph: any graph; a self loop keeps its weight.
        how: "max": where either direction is stored, the larger weight; "mean": (A + A^T) / 2; "min": where both
            directions are stored, the smaller weight.
        threads: see Context.
        progress: see Context.
        context: see Context.

    >>> import graft
    >>> graft.symmetrize(graft.Graph.from_csr(2, [0, 1, 1], [1], [0.5]), "mean").data
    array([0.25, 0.25], dtype=float32)
    """
    argument = _inputs.graph("symmetrize", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.symmetrize(argument, {"how": how}, settings)


def drop_self_loops(
    graph: GraphLike,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Removes every edge from an item to itself (by index).

    >>> import graft
    >>> graft.drop_self_loops(graft.Graph.identity(2))
    <graft.Graph: 2 items, 0 edges>
    """
    argument = _inputs.graph("drop_self_loops", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.drop_self_loops(argument, {}, settings)


def scale(
    graph: GraphLike,
    factor: float,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Multiplies every weight by `factor`.

    Raises:
        InvalidArgument: factor is NaN or infinite, or a product overflows float32 (names the row).

    >>> import graft
    >>> graft.scale(graft.Graph.identity(2), 0.5).data
    array([0.5, 0.5], dtype=float32)
    """
    argument = _inputs.graph("scale", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.scale(argument, {"factor": factor}, settings)


def normalize(
    graph: GraphLike,
    normalization: Normalization = "symmetric",
    *,
    epsilon: float = 0.0,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Normalises by row sums: deg_a^-1/2 A_ab deg_b^-1/2, deg_a = epsilon + sum_b A_ab (MLLMRec, Eq. 11).

    Args:
        graph: a row sum <= 0 has factor 0; edges that it makes 0 stay.
        normalization: "symmetric" (also of a directed graph), "row" (D^-1 A) or "none" (a copy).
        epsilon: added to every row sum, >= 0.
        threads: see Context.
        progress: see Context.
        context: see Context.

    Raises:
        InvalidArgument: epsilon; a row whose weights overflow float32 (names it).
        OutOfMemory: the memory budget is below 8 bytes an item.

    >>> import graft
    >>> graft.normalize(graft.Graph.from_csr(2, [0, 2, 2], [0, 1], [1.0, 3.0]), "row").data
    array([0.25, 0.75], dtype=float32)
    """
    argument = _inputs.graph("normalize", "graph", graph)
    with running(context, threads, progress) as settings:
        return _core.normalize(argument, {"normalization": normalization, "epsilon": epsilon}, settings)


def add(
    left: GraphLike,
    right: GraphLike,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Union of the edges with weights summed: W = A + B (MLLMRec, Eq. 10).

    Raises:
        InvalidArgument: sizes that differ (names both); a sum that overflows float32.

    >>> import graft
    >>> graft.add(graft.Graph.identity(2), graft.Graph.identity(2, 0.5)).data
    array([1.5, 1.5], dtype=float32)
    """
    first = _inputs.graph("add", "left", left)
    second = _inputs.graph("add", "right", right)
    with running(context, threads, progress) as settings:
        return _core.add(first, second, settings)


def mix(
    graphs: Sequence[GraphLike],
    coefficients: Sequence[float],
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Weighted union of edges: W = sum_m coefficients[m] * graphs[m].

    Args:
        graphs: one or more, all of the same number of items.
        coefficients: one a graph, finite. An edge of a graph with coefficient 0 stays, with weight 0.
        threads: see Context.
        progress: see Context.
        context: see Context.

    Raises:
        InvalidArgument: no graph, sizes that differ, a coefficient, a sum that overflows float32 (names the row).

    >>> import graft
    >>> graft.mix([graft.Graph.identity(2), graft.Graph.identity(2)], [0.25, 0.5]).data
    array([0.75, 0.75], dtype=float32)
    """
    arguments = _inputs.matrices("mix", "graphs", graphs)
    try:
        factors = [float(coefficient) for coefficient in coefficients]
    except (TypeError, ValueError) as error:
        raise TypeError(f"mix: coefficients = {coefficients!r}: must be floats, one a graph") from error
    with running(context, threads, progress) as settings:
        return _core.mix(arguments, factors, settings)


def merge_top_k(
    parts: Sequence[GraphLike],
    k: int,
    *,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Graph:
    """Joins partial graphs, cut to the k best edges of every row: equals the whole bit for bit.

    Parts over disjoint row ranges are joined as they are; parts over disjoint candidate columns (with similarity
    weights) are merged by (weight descending, column ascending), a self loop first.

    Args:
        parts: one or more, all of the same number of items.
        k: >= 1.
        threads: as in Context.
        progress: as in Context.
        context: cancellation.

    Returns:
        The joined graph.

    Raises:
        InvalidArgument: no part, sizes that differ, k, an edge stored twice with different weights.
        Cancelled: by a token.
    """
    graphs = _inputs.matrices("merge_top_k", "parts", parts)
    with running(context, threads, progress) as settings:
        return _core.merge_top_k(graphs, {"k": k}, settings)


def propagate(
    graph: GraphLike,
    features: MatrixLike,
    layers: int,
    aggregation: Aggregation,
    *,
    out: npt.NDArray[np.float32] | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> npt.NDArray[np.float32]:
    """Propagates features over the graph: graph convolution without parameters.

    E* = sum over l = 0..layers of A^l E (MLLMRec, Eq. 12), or that divided by layers + 1 (LightGCN).

    Args:
        graph: [items, items], as given: normalise first.
        features: [items, dims], as for `knn_graph`.
        layers: >= 0.
        aggregation: "sum" or "mean"; published models differ, so it has no default.
        out: float32 [items, dims] with contiguous rows to write to; must not overlap the features.
        threads: see Context.
        progress: see Context.
        context: see Context.

    Returns:
        float32 [items, dims]: `out` where it was given.

    Raises:
        InvalidArgument: sizes that differ (names both), layers, a NaN or infinite feature (names the row), out.
        OutOfMemory: the memory budget is too small.

    >>> import graft, numpy as np
    >>> swap = graft.Graph.from_csr(2, [0, 1, 2], [1, 0], [1.0, 1.0])
    >>> graft.propagate(swap, np.array([[1.0], [2.0]]), 1, "sum")
    array([[3.],
           [3.]], dtype=float32)
    """
    argument = _inputs.graph("propagate", "graph", graph)
    array = _inputs.matrix("propagate", "features", features)
    if out is None:
        target = np.empty(array.shape, dtype=np.float32)
    else:
        target = _inputs.output("propagate", "out", out, array.shape)
        if np.may_share_memory(target, array):
            raise InvalidArgument("propagate: out: must not overlap features")
    with running(context, threads, progress) as settings:
        _core.propagate(argument, array, {"layers": layers, "aggregation": aggregation}, target, settings)
    return target
