"""Graphs that some recipes make of others, sparse throughout."""

from __future__ import annotations

import numpy as np

from graft._core import Graph, Interactions


def larger(left: Graph, right: Graph) -> Graph:
    """The edges of both graphs, with the larger weight; an edge of one graph keeps its own, be it negative."""
    from scipy.sparse import csr_array

    parts = [graph.to_scipy().tocoo() for graph in (left, right)]
    places = np.concatenate([part.row.astype(np.int64) * left.items + part.col for part in parts])
    order = np.argsort(places, kind="stable")
    places = places[order]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    if len(first) == 0:
        return left
    weights = np.maximum.reduceat(np.concatenate([part.data for part in parts])[order], first)
    entries = (weights, np.divmod(places[first], left.items))
    return Graph.from_scipy(csr_array(entries, shape=left.shape))


def common(left: Graph, right: Graph) -> Graph:
    """The edges that both graphs have, self loops left out, with weight 1."""
    from scipy.sparse import csr_array

    parts = [graph.to_scipy().tocoo() for graph in (left, right)]
    first, second = (part.row.astype(np.int64) * left.items + part.col for part in parts)
    rows, columns = np.divmod(np.intersect1d(first, second, assume_unique=True), max(1, left.items))
    others = rows != columns
    entries = (np.ones(int(others.sum()), dtype=np.float32), (rows[others], columns[others]))
    return Graph.from_scipy(csr_array(entries, shape=left.shape))


def bipartite(interactions: Interactions, between_items: Graph) -> Graph:
    """[[0, R], [R^T, P]], users first."""
    from scipy.sparse import block_array

    history = interactions.to_scipy()
    return Graph.from_scipy(block_array([[None, history], [history.T, between_items.to_scipy()]], format="csr"))


def floored(graph: Graph, floor: float) -> Graph:
    """Every stored weight at least `floor`."""
    weights = np.maximum(graph.data, np.float32(floor))
    return Graph.from_csr(graph.items, graph.indptr, graph.indices, weights)
