"""Graphs as PyTorch sparse tensors. PyTorch is imported when a function is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

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


def sparse(graph: Graph, layout: Literal["coo", "csr"] = "coo") -> torch.Tensor:
    """The graph as a sparse tensor [items, items], for torch.sparse.mm(tensor, embeddings).

    The values share memory with the graph, which must not change: clone() the tensor before writing to it.

    Args:
        graph: a graft.Graph.
        layout: "coo" (coalesced), or "csr": faster products; its indices are shared too where int32 holds the offsets.

    Raises:
        ImportError: PyTorch is not installed.
        InvalidArgument: another layout.
    """
    library = _torch("graft.torch.sparse")
    values = library.from_numpy(graph._shared_data())
    size = (graph.items, graph.items)
    if layout == "coo":
        indices = library.from_numpy(np.stack([_rows(graph), graph.indices.astype(np.int64)]))
        coo: torch.Tensor = library.sparse_coo_tensor(indices, values, size, is_coalesced=True, check_invariants=False)
        return coo
    if layout == "csr":
        narrow = graph.edges < 2**31
        offsets = library.from_numpy(graph.indptr.astype(np.int32 if narrow else np.int64))
        columns = library.from_numpy(graph._shared_indices() if narrow else graph.indices.astype(np.int64))
        csr: torch.Tensor = library.sparse_csr_tensor(offsets, columns, values, size, check_invariants=False)
        return csr
    raise InvalidArgument(f"graft.torch.sparse: layout = {layout!r}: must be one of 'coo', 'csr'")
