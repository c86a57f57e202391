"""Graphs that stay on a CUDA device: made there of features there, and handed to PyTorch there.

>>> import graft.cuda
>>> graph = graft.cuda.refine(features, train, jaccard_k=20)    # a CUDA tensor, on its stream  # doctest: +SKIP
>>> adjacency = graft.torch.sparse(graph, "csr")                # shares the weights  # doctest: +SKIP

The options are those of the functions of the same names in `graft`; the results are theirs, to the bit. Features of the
host are copied there piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any

from graft import _core, _inputs, _operators
from graft._context import Context, running
from graft._core import DeviceGraph
from graft._types import GraphLike, InteractionsLike, MatrixLike

__all__ = ["DeviceGraph", "jaccard_graph", "knn_graph", "refine", "to_device"]


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
