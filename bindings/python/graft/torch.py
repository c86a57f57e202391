"""Graphs as PyTorch sparse tensors. PyTorch is imported when a function is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graft._core import DeviceGraph
from graft.errors import InvalidArgument

if TYPE_CHECKING:
    import torch

    from graft._core import Graph


def _torch(function: str) -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise ImportError(f"{function} needs PyTorch: pip install torch") from error


def _rows(graph: Graph) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.repeat(np.arange(graph.items, dtype=np.int64), np.diff(graph.indptr))


class _DeviceArray:
    """A part of a graph on a device, as other libraries read it; it keeps the graph."""

    def __init__(self, graph: DeviceGraph, address: int, size: int, typestr: str) -> None:
        self._graph = graph
        # no stream: the graph was complete when the call that made it returned
        self.__cuda_array_interface__ = {
            "shape": (size,),
            "typestr": typestr,
            "strides": None,
            "data": (address, False),
            "version": 3,
            "stream": None,
        }


def _device_parts(library: Any, graph: DeviceGraph) -> tuple[Any, Any, Any]:
    """Offsets, columns and weights as tensors that share the graph's memory."""
    offsets, columns, weights = graph._addresses()
    device = f"cuda:{graph.device}"
    parts = ((offsets, graph.items + 1, "<i8"), (columns, graph.edges, "<i4"), (weights, graph.edges, "<f4"))
    tensors = [library.as_tensor(_DeviceArray(graph, *part), device=device) for part in parts]
    return tensors[0], tensors[1], tensors[2]


def _sparse_on_device(library: Any, graph: DeviceGraph, layout: str) -> Any:
    offsets, columns, weights = _device_parts(library, graph)
    size = (graph.items, graph.items)
    if layout == "csr":
        narrow = graph.edges < 2**31
        offsets, columns = (offsets.int(), columns) if narrow else (offsets, columns.long())
        return library.sparse_csr_tensor(offsets, columns, weights, size, check_invariants=False)
    rows = library.repeat_interleave(library.arange(graph.items, device=offsets.device), offsets.diff())
    indices = library.stack([rows, columns.long()])
    return library.sparse_coo_tensor(indices, weights, size, is_coalesced=True, check_invariants=False)


def sparse(graph: Graph | DeviceGraph, layout: Literal["coo", "csr"] = "coo") -> torch.Tensor:
    """The graph as a sparse tensor [items, items], for torch.sparse.mm(tensor, embeddings).

    The values share memory with the graph, which must not change: clone() the tensor before writing to it.

    Args:
        graph: a graft.Graph; or a graft.cuda.DeviceGraph, which gives a tensor on its device.
        layout: "coo" (coalesced), or "csr": faster products; its indices are shared too where int32 holds the offsets.

    Raises:
        ImportError: PyTorch is not installed.
        InvalidArgument: another layout.
    """
    library = _torch("graft.torch.sparse")
    if layout not in ("coo", "csr"):
        raise InvalidArgument(f"graft.torch.sparse: layout = {layout!r}: must be one of 'coo', 'csr'")
    if isinstance(graph, DeviceGraph):
        on_device: torch.Tensor = _sparse_on_device(library, graph, layout)
        return on_device
    values = library.from_numpy(graph._shared_data())
    size = (graph.items, graph.items)
    if layout == "coo":
        indices = library.from_numpy(np.stack([_rows(graph), graph.indices.astype(np.int64)]))
        coo: torch.Tensor = library.sparse_coo_tensor(indices, values, size, is_coalesced=True, check_invariants=False)
        return coo
    narrow = graph.edges < 2**31
    offsets = library.from_numpy(graph.indptr.astype(np.int32 if narrow else np.int64))
    columns = library.from_numpy(graph._shared_indices() if narrow else graph.indices.astype(np.int64))
    csr: torch.Tensor = library.sparse_csr_tensor(offsets, columns, values, size, check_invariants=False)
    return csr
