"""Graphs that stay on a CUDA device: made there of features there, and handed to PyTorch there.

>>> import graft.cuda
>>> graph = graft.cuda.refine(features, train, jaccard_k=20)    # a CUDA tensor, on its stream  # doctest: +SKIP
>>> adjacency = graft.torch.sparse(graph, "csr")                # shares the weights  # doctest: +SKIP
>>> graph = graft.cuda.normalize(graft.cuda.threshold(graph, 0.5))  # doctest: +SKIP
>>> torch.as_tensor(graft.cuda.propagate(graph, features, 1, "sum"))  # shares the memory  # doctest: +SKIP

The options are those of the functions of the same names in `graft`; the results are theirs, to the bit. Features of the
host are copied there piece by piece. Every `context` gives the device, its memory budget and cancellation; its backend
is cuda whatever it says. Every function raises BackendUnavailable where library, driver or device is missing,
InvalidArgument where a graph lies on another device, and what its namesake does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any

from graft import _core, _inputs, _operators
from graft._context import Context, running
from graft._core import DeviceGraph, DeviceMatrix
from graft._types import Aggregation, GraphLike, InteractionsLike, MatrixLike, Normalization, Symmetrization

__all__ = [
    "DeviceGraph",
    "DeviceMatrix",
    "add",
    "binarize",
    "drop_self_loops",
    "jaccard_graph",
    "knn_graph",
    "mix",
    "normalize",
    "propagate",
    "refine",
    "scale",
    "symmetrize",
    "threshold",
    "to_device",
    "top_k",
    "transpose",
]


# What the functions of `graft` take beside their operator's options.
CALL_ARGUMENTS = {"threads", "progress", "backend", "context"}


def _options_of(function: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options, if the function has them. Those that are absent have the compiled part's defaults, which are its."""
    parameters = signature(function).parameters.values()
    known = {one.name for one in parameters if one.kind is Parameter.KEYWORD_ONLY} - CALL_ARGUMENTS
    for name in options:
        if name not in known:
            raise TypeError(f"graft.cuda.{function.__name__}: unexpected argument {name!r}")
    return options


def _on_device(context: Context | None) -> Context:
    return replace(context or Context(), backend="cuda")


def knn_graph(features: MatrixLike, *, context: Context | None = None, **options: Any) -> DeviceGraph:
    """`graft.knn_graph`, left on the device.

    Args:
        features: [items, dims] float32 on the context's device (`__cuda_array_interface__` or DLPack), read where it is
            after what its producer has queued; or an array of the host.
        context: device, its memory budget, cancellation; the backend is cuda whatever it says.
        options: k, min_similarity, metric, weights, self, row_range, column_range.

    Raises:
        BackendUnavailable: library, driver or device is missing.
        InvalidArgument, OutOfMemory, Cancelled: as `graft.knn_graph`.
    """
    values = _options_of(_operators.knn_graph, options)
    with running(_on_device(context), None, None) as settings:
        if not _inputs.is_on_device(features):
            return _core.device_knn_graph(_inputs.matrix("knn_graph", "features", features), values, settings)
        with _inputs.device_matrix("knn_graph", "features", features) as matrix:
            return _core.device_knn_graph(matrix, values, settings)


def jaccard_graph(interactions: InteractionsLike, *, context: Context | None = None, **options: Any) -> DeviceGraph:
    """`graft.jaccard_graph`, left on the device. Arguments and errors as there and as `knn_graph` here."""
    held = _inputs.interactions("jaccard_graph", interactions)
    values = _options_of(_operators.jaccard_graph, options)
    with running(_on_device(context), None, None) as settings:
        return _core.device_jaccard_graph(held, values, settings)


def refine(
    features: Any, interactions: InteractionsLike, *, context: Context | None = None, **options: Any
) -> DeviceGraph:
    """`graft.refine`, all of it on the device, and left there.

    Args:
        features: as for `knn_graph`; or a ready similarity graph, or a list of Modality, of the host.
        interactions: TRAINING interactions.
        context: as for `knn_graph`.
        options: knn_k, threshold, jaccard_k and the others of `graft.refine`.

    Raises:
        As `knn_graph`.
    """
    held = _inputs.interactions("refine", interactions)
    values = _options_of(_operators.refine, options)
    with running(_on_device(context), None, None) as settings:
        if not _inputs.is_on_device(features):
            return _core.device_refine(_operators.modalities_of(features), held, values, settings)
        with _inputs.device_matrix("refine", "features", features) as matrix:
            return _core.device_refine(matrix, held, values, settings)


def to_device(graph: GraphLike, *, context: Context | None = None) -> DeviceGraph:
    """Copies a graph to the device; `DeviceGraph.to_host()` copies it back, bit for bit."""
    argument = _inputs.graph("to_device", "graph", graph)
    with running(_on_device(context), None, None) as settings:
        return _core.device_graph(argument, settings)


def threshold(graph: DeviceGraph, min_similarity: float, *, context: Context | None = None) -> DeviceGraph:
    """Keeps the edges with weight >= min_similarity."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_threshold(graph, {"min_similarity": min_similarity}, settings)


def binarize(graph: DeviceGraph, *, context: Context | None = None) -> DeviceGraph:
    """Gives every stored edge weight 1."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_binarize(graph, {}, settings)


def drop_self_loops(graph: DeviceGraph, *, context: Context | None = None) -> DeviceGraph:
    """Removes every edge from an item to itself."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_drop_self_loops(graph, {}, settings)


def scale(graph: DeviceGraph, factor: float, *, context: Context | None = None) -> DeviceGraph:
    """Multiplies every weight by `factor`."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_scale(graph, {"factor": factor}, settings)


def top_k(graph: DeviceGraph, k: int, *, context: Context | None = None) -> DeviceGraph:
    """Keeps the k heaviest edges of every row."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_top_k(graph, {"k": k}, settings)


def symmetrize(graph: DeviceGraph, how: Symmetrization = "max", *, context: Context | None = None) -> DeviceGraph:
    """Gives a graph with A_ab = A_ba."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_symmetrize(graph, {"how": how}, settings)


def transpose(graph: DeviceGraph, *, context: Context | None = None) -> DeviceGraph:
    """A^T, for what must multiply by it often, such as the gradient of a propagation."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_transpose(graph, {}, settings)


def normalize(
    graph: DeviceGraph,
    normalization: Normalization = "symmetric",
    *,
    epsilon: float = 0.0,
    context: Context | None = None,
) -> DeviceGraph:
    """Normalises by row sums + epsilon."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_normalize(graph, {"normalization": normalization, "epsilon": epsilon}, settings)


def mix(
    left: DeviceGraph,
    left_coefficient: float,
    right: DeviceGraph,
    right_coefficient: float,
    *,
    context: Context | None = None,
) -> DeviceGraph:
    """left_coefficient * left + right_coefficient * right, over the union of their edges."""
    with running(_on_device(context), None, None) as settings:
        return _core.device_mix(left, left_coefficient, right, right_coefficient, settings)


def add(left: DeviceGraph, right: DeviceGraph, *, context: Context | None = None) -> DeviceGraph:
    """Union of the edges with weights summed."""
    return mix(left, 1.0, right, 1.0, context=context)


def propagate(
    graph: DeviceGraph, features: Any, layers: int, aggregation: Aggregation, *, context: Context | None = None
) -> DeviceMatrix:
    """Sum, or mean, over l = 0..layers of A^l E.

    Args:
        graph: [items, items], as given: normalise first.
        features: E [items, dims], float32 on the graph's device, read after what its producer has queued.
        layers: >= 0.
        aggregation: "sum" or "mean".
        context: see above.

    Returns:
        [items, dims] on the device: other libraries read it by `__cuda_array_interface__`, to_host() copies it.
    """
    if not _inputs.is_on_device(features):
        raise TypeError(f"graft.cuda.propagate: features: {type(features).__name__}: must be on the graph's device")
    values = {"layers": layers, "aggregation": aggregation}
    with (
        _inputs.device_matrix("propagate", "features", features) as matrix,
        running(_on_device(context), None, None) as settings,
    ):
        return _core.device_propagate(graph, matrix, values, settings)
