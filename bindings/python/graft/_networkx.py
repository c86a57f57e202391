"""Graphs for NetworkX."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from graft._core import Graph


def to_networkx(graph: Graph) -> Any:
    """The graph as a networkx.DiGraph with `weight`: row a, column b becomes the edge a -> b.

    That is how NetworkX reads a matrix (from_scipy_sparse_array). Every item is a node.

    Raises:
        ImportError: NetworkX is not installed.
    """
    try:
        networkx = importlib.import_module("networkx")
    except ImportError as error:
        raise ImportError("graft.to_networkx needs NetworkX: pip install networkx") from error
    result = networkx.DiGraph()
    result.add_nodes_from(range(graph.items))
    rows = np.repeat(np.arange(graph.items), np.diff(graph.indptr))
    result.add_weighted_edges_from(zip(rows.tolist(), graph.indices.tolist(), graph.data.tolist(), strict=True))
    return result
