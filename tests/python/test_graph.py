"""graft.Graph: making one, looking at one, and what it shares with SciPy."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import graft


@st.composite
def matrices(draw):
    """Square SciPy matrices of any format, with explicit zeros and (in COO) repeated entries."""
    items = draw(st.integers(0, 8))
    count = draw(st.integers(0, 20)) if items else 0
    places = st.integers(0, max(items - 1, 0))
    rows = draw(st.lists(places, min_size=count, max_size=count))
    columns = draw(st.lists(places, min_size=count, max_size=count))
    weights = draw(st.lists(st.integers(-8, 8).map(lambda x: x / 4), min_size=count, max_size=count))
    matrix = sp.coo_array((np.array(weights, dtype=np.float32), (rows, columns)), shape=(items, items))
    return matrix.asformat(draw(st.sampled_from(["coo", "csr", "csc", "lil", "dok"])))


@given(matrices())
def test_from_scipy_keeps_the_matrix_whatever_its_format(matrix):
    graph = graft.Graph.from_scipy(matrix)
    assert graph.shape == matrix.shape
    assert (graph.to_scipy().toarray() == matrix.toarray()).all()


@given(matrices())
def test_pickle_gives_an_equal_graph(matrix):
    graph = graft.Graph.from_scipy(matrix)
    assert pickle.loads(pickle.dumps(graph)) == graph


def test_sparse_matrices_of_the_old_interface_are_taken():
    assert graft.Graph.from_scipy(sp.eye(3, format="csc")) == graft.Graph.identity(3)


def test_to_scipy_shares_columns_and_weights(shop):
    matrix = shop.graph.to_scipy()
    assert isinstance(matrix, sp.csr_array)
    assert np.shares_memory(matrix.data, shop.graph.data)
    assert np.shares_memory(matrix.indices, shop.graph.indices)
    assert matrix.indptr.dtype == matrix.indices.dtype == np.int32
    assert matrix.has_canonical_format
    matrix.check_format(full_check=True)


def test_to_scipy_with_copy_may_be_written_to(shop):
    matrix = shop.graph.to_scipy(copy=True)
    before = float(shop.graph.data[0])
    matrix.data[0] = 9
    assert shop.graph.data[0] == before


@pytest.mark.parametrize("name", ["indptr", "indices", "data"])
def test_arrays_of_a_graph_are_views_that_cannot_be_written_to(shop, name):
    array = getattr(shop.graph, name)
    assert np.shares_memory(array, getattr(shop.graph, name))
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_arrays_outlive_their_graph():
    graph = graft.Graph.identity(1000, 0.5)
    data, matrix = graph.data, graph.to_scipy()
    del graph
    junk = [graft.Graph.identity(1000, 2.0) for _ in range(10)]
    assert (data == 0.5).all() and (matrix.data == 0.5).all() and len(junk) == 10


def test_rows_are_views(shop):
    assert np.shares_memory(shop.graph.row_columns(3), shop.graph.indices)
    matrix = shop.graph.to_scipy()
    assert (shop.graph.row_columns(3) == matrix.indices[matrix.indptr[3] : matrix.indptr[4]]).all()
    assert (shop.graph.row_weights(3) == matrix.data[matrix.indptr[3] : matrix.indptr[4]]).all()
    with pytest.raises(graft.InvalidArgument, match=r"row = 200: must lie in \[0, 200\)"):
        shop.graph.row_columns(200)


def test_equality_looks_at_structure_and_bits():
    graph = graft.Graph.identity(2)
    assert graph == graft.Graph.identity(2)
    assert graph != graft.Graph.identity(2, 0.5)
    assert graph != graft.Graph.identity(3)
    assert graph != "a graph"
    with pytest.raises(TypeError, match="unhashable"):
        hash(graph)


def test_sizes_and_text():
    graph = graft.Graph(5)
    assert (graph.items, graph.edges, graph.shape) == (5, 0, (5, 5))
    assert repr(graph) == "<graft.Graph: 5 items, 0 edges>"
    assert graft.Graph(0).to_scipy().shape == (0, 0)


def test_repeated_columns_are_refused_or_summed():
    arrays = (2, [0, 3, 3], [1, 0, 1], [0.25, 1.0, 0.5])
    with pytest.raises(graft.InvalidArgument, match="columns of row 0"):
        graft.Graph.from_csr(*arrays)
    graph = graft.Graph.from_csr(*arrays, unsorted="sort_and_sum")
    assert graph.indices.tolist() == [0, 1]
    assert graph.data.tolist() == [1.0, 0.75]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((2, [0, 1], [0], [1.0]), "row_offsets = 2 entries"),
        ((2, [0, 1, 1], [2], [1.0]), r"columns\[0\] = 2: must lie in \[0, 2\)"),
        ((2, [0, 2, 1], [0, 1], [1.0, 1.0]), r"row_offsets\[2\] = 1"),
        ((2, [0, 1, 1], [0], [float("nan")]), r"weights\[0\] = .*nan: must be finite"),
        ((2, [0, 1, 1], [0], [1.0, 2.0]), "weights = 2 entries"),
        ((-1, [0], [], []), "rows = -1"),
        ((2, [0, 1, 1], [2**40], [1.0]), r"indices\[0\] = 1099511627776"),
        ((2, [[0, 1, 1]], [0], [1.0]), "indptr: shape"),
    ],
)
def test_broken_arrays_are_refused_with_their_place(arrays, message):
    with pytest.raises(graft.InvalidArgument, match=message):
        graft.Graph.from_csr(*arrays)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((2, [0.0, 1.0, 1.0], [0], [1.0]), "indptr: dtype float64: must be integers"),
        ((2, [0, 1, 1], [0], ["a"]), "data: dtype"),
        (("2", [0, 1, 1], [0], [1.0]), "items = '2': must be an int"),
    ],
)
def test_arrays_of_a_wrong_type_are_type_errors(arrays, message):
    with pytest.raises(TypeError, match=message):
        graft.Graph.from_csr(*arrays)


def test_matrices_that_are_no_graphs_are_refused():
    with pytest.raises(graft.InvalidArgument, match="must be square"):
        graft.Graph.from_scipy(sp.csr_array((2, 3), dtype=np.float32))
    with pytest.raises(TypeError, match="must be a SciPy sparse matrix"):
        graft.Graph.from_scipy(np.eye(2))
    with pytest.raises(TypeError, match="must be real numbers"):
        graft.Graph.from_scipy(sp.csr_array(np.eye(2) * 1j))
    with pytest.raises(graft.InvalidArgument, match="unsorted = 'sum': must be one of 'refuse', 'sort_and_sum'"):
        graft.Graph.from_scipy(sp.eye(2), unsorted="sum")
