"""Graphs for PyTorch Geometric. Only PyTorch is needed, and imported when a function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graft.torch import _rows, _torch

if TYPE_CHECKING:
    import torch

    from graft._core import Graph


def edge_index(graph: Graph) -> torch.Tensor:
    """The edges as PyG wants them: int64 [2, edges] = [columns; rows].

    A row receives, so its column is PyG's source. `edge_weight` gives the weights in the same order.

    Raises:
        ImportError: PyTorch is not installed.
    """
    library = _torch("graft.pyg.edge_index")
    index: torch.Tensor = library.from_numpy(np.stack([graph.indices.astype(np.int64), _rows(graph)]))
    return index


def edge_weight(graph: Graph) -> torch.Tensor:
    """The weights, float32 [edges], in the order of `edge_index`.

    They share memory with the graph, which must not change: clone() them before writing.

    Raises:
        ImportError: PyTorch is not installed.
    """
    weight: torch.Tensor = _torch("graft.pyg.edge_weight").from_numpy(graph._shared_data())
    return weight
