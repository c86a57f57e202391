"""Slow, obvious counterparts of the operators, on SciPy matrices."""

import numpy as np
import scipy.sparse as sp


def from_edges(rows, cols, values, items):
    return sp.csr_matrix((np.asarray(values, dtype=np.float32), (rows, cols)), shape=(items, items))


def top_k(rows, cols, values, k):
    """Positions of each row's k largest values, the lower column first among equals."""
    order = np.lexsort((cols, -values, rows))
    sorted_rows = rows[order]
    first = np.searchsorted(sorted_rows, sorted_rows, side="left")
    return order[np.arange(len(order)) - first < k]


def jaccard_top_k(users, items, item_count, k):
    """Each row's k largest |A & B| / |A | B| without the diagonal, as float32 quotients of two integers.

    Ranking by the float64 quotient is exact: two different fractions of integers below 2^20 differ by over 2^-40.
    """
    ones = np.ones(len(users), dtype=np.int64)
    matrix = sp.csr_matrix((ones, (users, items)), shape=(int(users.max()) + 1, item_count))
    matrix.data[:] = 1
    degrees = np.asarray(matrix.sum(axis=0)).ravel()
    counts = (matrix.T @ matrix).tocoo()
    off_diagonal = counts.row != counts.col
    rows, cols, common = counts.row[off_diagonal], counts.col[off_diagonal], counts.data[off_diagonal]
    union = degrees[rows] + degrees[cols] - common
    kept = top_k(rows, cols, common / union, k)
    weights = common[kept].astype(np.float32) / union[kept].astype(np.float32)
    return from_edges(rows[kept], cols[kept], weights, item_count)


def denoised(similarity, k, threshold):
    """The k best edges of a ready graph without its diagonal, those below the threshold pruned, weights 1."""
    edges = similarity.tocoo()
    off_diagonal = edges.row != edges.col
    rows, cols, values = edges.row[off_diagonal], edges.col[off_diagonal], edges.data[off_diagonal]
    kept = top_k(rows, cols, values, k)
    kept = kept[values[kept] >= np.float32(threshold)]
    return from_edges(rows[kept], cols[kept], np.ones(len(kept)), similarity.shape[0])


def normalized(matrix):
    degrees = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
    factors = np.zeros_like(degrees)
    factors[degrees > 0] = degrees[degrees > 0] ** -0.5
    return sp.diags_array(factors) @ matrix.astype(np.float64) @ sp.diags_array(factors)


def largest_difference(a, b):
    difference = abs(a.astype(np.float64) - b.astype(np.float64))
    return difference.max() if difference.nnz else 0.0


def assert_same_graph(actual, expected):
    """Equal structure and equal bits."""
    actual, expected = sp.csr_matrix(actual), sp.csr_matrix(expected)
    actual.sort_indices()
    expected.sort_indices()
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual.indptr, expected.indptr)
    np.testing.assert_array_equal(actual.indices, expected.indices)
    np.testing.assert_array_equal(actual.data.view(np.uint32), expected.data.view(np.uint32))
