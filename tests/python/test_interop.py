"""Other libraries' arrays in, and graphs for them out. Each test is skipped where its library is not installed."""

import sys

import numpy as np
import pytest

import graft
from graft import _inputs

TEXTS = ["b", "a", "b", "a text of more than twelve bytes"]
NUMBERS = [5, 6, 5, 7]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def swap():
    """Row 0 receives 0.5 from 1, row 1 receives 0.25 from 0 and 2 from itself."""
    return graft.Graph.from_csr(3, [0, 1, 3, 3], [1, 0, 1], [0.5, 0.25, 2.0])


def test_torch_tensors_are_read_in_place(torch, shop):
    tensor = torch.from_numpy(shop.features.copy())
    taken = _inputs.matrix("knn_graph", "features", tensor)
    assert taken.ctypes.data == tensor.data_ptr()
    assert graft.knn_graph(tensor, k=7) == shop.graph
    assert graft.knn_graph(tensor.double(), k=7) == shop.graph
    assert graft.knn_graph(tensor.T.contiguous().T, k=7) == shop.graph
    wide = torch.cat([tensor, tensor], dim=1)[:, : shop.DIMS]
    assert _inputs.matrix("knn_graph", "features", wide).ctypes.data == wide.data_ptr()


def test_tensors_that_cannot_be_read_are_refused(torch, shop):
    tensor = torch.from_numpy(shop.features.copy())
    for bad in (tensor.clone().requires_grad_(), tensor.bfloat16(), tensor.to_sparse()):
        with pytest.raises(TypeError, match="knn_graph: features: torch"):
            graft.knn_graph(bad)
    with pytest.raises(TypeError, match="features: dtype int64"):
        graft.knn_graph(torch.zeros((2, 2), dtype=torch.int64))
    with pytest.raises(graft.BackendUnavailable, match="features: is not in host memory"):
        graft.knn_graph(torch.zeros((2, 2), device="meta"))


@pytest.mark.parametrize("layout", ["coo", "csr"])
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state")
def test_a_torch_sparse_tensor_is_the_same_matrix(torch, shop, swap, layout):
    tensor = graft.torch.sparse(swap, layout=layout)
    assert tensor.to_dense().tolist() == swap.to_scipy().toarray().tolist()
    assert tensor.values().data_ptr() == swap.data.ctypes.data
    tensor = graft.torch.sparse(shop.graph, layout=layout)
    expected = shop.graph.to_scipy() @ shop.features
    assert np.allclose((tensor @ torch.from_numpy(shop.features)).numpy(), expected, atol=1e-5)
    if layout == "coo":
        assert tensor.is_coalesced()
    else:
        assert tensor.col_indices().data_ptr() == shop.graph.indices.ctypes.data


def test_a_tensor_keeps_its_graph_alive(torch):
    tensor = graft.torch.sparse(graft.Graph.identity(1000, 0.5))
    junk = [graft.Graph.identity(1000, 2.0) for _ in range(10)]
    assert len(junk) == 10
    assert (tensor.values() == 0.5).all()


def test_another_layout_is_refused(torch, swap):
    with pytest.raises(graft.InvalidArgument, match="layout = 'bsr': must be one of 'coo', 'csr'"):
        graft.torch.sparse(swap, layout="bsr")


def test_edge_index_goes_from_columns_to_rows(torch, swap):
    assert graft.pyg.edge_index(swap).tolist() == [[1, 0, 1], [0, 1, 1]]
    assert graft.pyg.edge_index(swap).dtype == torch.int64
    assert graft.pyg.edge_weight(swap).tolist() == [0.5, 0.25, 2.0]


def test_networkx_reads_the_matrix_as_it_reads_scipys(swap):
    networkx = pytest.importorskip("networkx")
    made = graft.to_networkx(swap)
    expected = networkx.from_scipy_sparse_array(swap.to_scipy(), create_using=networkx.DiGraph)
    assert networkx.utils.graphs_equal(made, expected)
    assert list(made.nodes) == [0, 1, 2]


@pytest.mark.parametrize(
    ("module", "call", "install"),
    [
        ("torch", lambda graph: graft.torch.sparse(graph), "pip install torch"),
        ("torch", lambda graph: graft.pyg.edge_index(graph), "pip install torch"),
        ("torch", lambda graph: graft.pyg.edge_weight(graph), "pip install torch"),
        ("networkx", lambda graph: graft.to_networkx(graph), "pip install networkx"),
    ],
)
def test_an_absent_library_is_an_import_error_that_says_what_to_install(monkeypatch, swap, module, call, install):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=install):
        call(swap)


def pandas_columns(pandas):
    yield pandas.Series(TEXTS), pandas.Series(NUMBERS)
    yield pandas.Series(TEXTS, dtype="category"), pandas.Series(NUMBERS, dtype="Int32")
    frame = pandas.DataFrame({"user": TEXTS, "item": NUMBERS})
    yield frame["user"], frame["item"]


def polars_columns(polars):
    yield polars.Series(TEXTS), polars.Series(NUMBERS, dtype=polars.UInt8)
    yield polars.Series(TEXTS, dtype=polars.Categorical), polars.Series(NUMBERS)[:]
    frame = polars.DataFrame({"user": ["z", *TEXTS], "item": [1, *NUMBERS]})[1:]
    yield frame["user"], frame["item"]


def pyarrow_columns(pyarrow):
    for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view()):
        for number in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
            yield pyarrow.array(TEXTS, kind), pyarrow.array(NUMBERS, number)
    yield pyarrow.array(["z", *TEXTS])[1:], pyarrow.array([1, *NUMBERS])[1:]
    yield pyarrow.array(TEXTS).dictionary_encode(), pyarrow.array(NUMBERS).dictionary_encode()
    yield pyarrow.chunked_array([TEXTS[:1], TEXTS[1:]]), pyarrow.chunked_array([NUMBERS[:3], [], NUMBERS[3:]])
    table = pyarrow.table({"user": TEXTS, "item": NUMBERS})
    yield table["user"], table["item"]


@pytest.mark.parametrize(
    ("library", "columns"), [("pandas", pandas_columns), ("polars", polars_columns), ("pyarrow", pyarrow_columns)]
)
def test_columns_of_ids_are_numbered(library, columns):
    for users, items in columns(pytest.importorskip(library)):
        held, user_ids, item_ids = graft.Interactions.from_ids(users, items)
        assert user_ids.tolist() == ["b", "a", TEXTS[3]]
        assert item_ids.tolist() == [5, 6, 7]
        assert [held.history(user).tolist() for user in range(3)] == [[0], [1], [2]]
        assert held.duplicates == 1


def test_integer_columns_are_pairs_as_they_are():
    for library in ("pandas", "polars"):
        frame = pytest.importorskip(library).DataFrame({"user": [0, 1], "item": [2, 0]})
        assert graft.Interactions.from_pairs(frame["user"], frame["item"]).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda pa: pa.array([1, None, 2]), graft.InvalidArgument, r"items\[1\] = null: must be an id"),
        (lambda pa: pa.array(["a", "b", None]), graft.InvalidArgument, r"items\[2\] = null"),
        (
            lambda pa: pa.array(["a", None, "b"]).dictionary_encode(),
            graft.InvalidArgument,
            r"items\[1\] = null",
        ),
        (
            lambda pa: pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["a", None])),
            graft.InvalidArgument,
            r"items\[1\] = null",
        ),
        (lambda pa: pa.array([2**63, 1, 2], "uint64"), graft.InvalidArgument, "9223372036854775808"),
        (lambda pa: pa.array([0.5, 1.5, 2.5]), TypeError, "items = Arrow type 'g': must be a column of integers"),
        (lambda pa: pa.array([b"a", b"b", b"c"]), TypeError, "items = Arrow type 'z'"),
        (lambda pa: pa.table({"a": [1, 2, 3]}), TypeError, r"items = Arrow type '\+s'"),
        (lambda pa: pa.array([True, False, True]), TypeError, "items = Arrow type 'b'"),
    ],
)
def test_arrow_columns_that_are_no_ids_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        graft.Interactions.from_ids(["x", "y", "z"], make(pytest.importorskip("pyarrow")))
