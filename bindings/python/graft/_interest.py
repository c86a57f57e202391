"""SOIL's interest-aware item graphs, without a matrix of items x items."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graft._context import Context
from graft._core import Graph, Interactions
from graft._operators import top_k_scores

# Bytes of the feature rows of a block: of users who are asked for at once, and of pairs, which stay in the cache.
USER_BYTES = 32 << 20
PAIR_BYTES = 1 << 20

Features = npt.NDArray[np.float32]


def _inverse_norms(features: Features) -> Features:
    """1 / |x_a|; 0 for a zero row."""
    norms: npt.NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", features, features, dtype=np.float64))
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0).astype(np.float32)


def _block_rows(features: Features, limit: int) -> int:
    return max(1, limit // (4 * max(1, int(features.shape[1]))))


def _nearest_to_users(history: Any, features: Features, inverse: Features, k: int, context: Context | None) -> Any:
    """[users, items]: ones at the k items b with the largest sum over the user's items a of S_ab.

    The sum is <sum_a x_a / |x_a|, x_b / |x_b|>: one query a user, and cosine ranks the items as the product would.
    """
    from scipy.sparse import csr_array, vstack

    users, items = history.shape
    scaled = history.copy()
    scaled.data = inverse[history.indices]
    parts = [csr_array((0, items), dtype=np.float32)]
    step = _block_rows(features, USER_BYTES)
    for begin in range(0, users, step):
        tastes = np.asarray(scaled[begin : begin + step] @ features)
        ranking = top_k_scores(tastes, features, k=k, metric="cosine", context=context)
        ones = np.ones(len(ranking.ids), dtype=np.float32)
        parts.append(csr_array((ones, ranking.ids, ranking.row_offsets), shape=(len(tastes), items)))
    return vstack(parts, format="csr")


def _similarities(features: Features, inverse: Features, pairs: Any) -> Features:
    """S_ab of every stored pair, in the order of its rows."""
    values = np.empty(pairs.nnz, dtype=np.float32)
    step = _block_rows(features, PAIR_BYTES)
    for row, (begin, end) in enumerate(zip(pairs.indptr, pairs.indptr[1:])):
        own = features[row] * inverse[row]
        for first in range(begin, end, step):
            block = slice(first, min(first + step, end))
            # Not a BLAS product: its bits depend on how many rows there are.
            values[block] = np.einsum("ij,j->i", features[pairs.indices[block]], own)
    values *= inverse[pairs.indices]
    return values


def interest_graphs(
    interactions: Interactions, modalities: list[Features], k: int, context: Context | None
) -> list[Graph]:
    """Int_m of every modality: how often b is of interest to a user of a, times S_m[a, b]; zeros are no edges.

    C_u, what is of interest to user u, is the union over the modalities of the k items nearest to all that u has.
    Int_m[a, b] = S_m[a, b] * |{u : a in N_u, b in C_u}|.
    """
    from scipy.sparse import csr_array

    history = interactions.to_scipy()
    inverses = [_inverse_norms(features) for features in modalities]
    interest = csr_array(history.shape, dtype=np.float32)
    for features, inverse in zip(modalities, inverses):
        interest = interest + _nearest_to_users(history, features, inverse, k, context)
    interest.data[:] = 1.0
    counts: Any = history.T.tocsr() @ interest
    graphs = []
    for features, inverse in zip(modalities, inverses):
        weighted = counts.copy()
        weighted.data *= _similarities(features, inverse, counts)
        weighted.eliminate_zeros()
        graphs.append(Graph.from_scipy(weighted))
    return graphs
