"""What may go in as features, graphs and interactions, and what is said of the rest."""

import numpy as np
import pytest
import scipy.sparse as sp

import graft
from graft import _inputs


def row_strided(x):
    wide = np.zeros((x.shape[0], x.shape[1] + 5), dtype=np.float32)
    wide[:, 2:-3] = x
    return wide[:, 2:-3]


def every_second_row(x):
    tall = np.zeros((2 * x.shape[0], x.shape[1]), dtype=np.float32)
    tall[::2] = x
    return tall[::2]


class ArrayInterface:
    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


class DLPack:
    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


@pytest.mark.parametrize("layout", [np.asarray, row_strided, every_second_row, ArrayInterface, DLPack])
def test_float32_with_contiguous_rows_is_read_in_place(shop, layout):
    given = layout(shop.features.copy())
    taken = _inputs.matrix("knn_graph", "features", given)
    assert np.shares_memory(taken, getattr(given, "array", given))
    assert graft.knn_graph(given, k=7) == shop.graph


def test_read_only_features_are_read_in_place(shop):
    given = shop.features.copy()
    given.setflags(write=False)
    assert np.shares_memory(_inputs.matrix("knn_graph", "features", given), given)
    assert graft.knn_graph(given, k=7) == shop.graph


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">f4"),
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.broadcast_to(x, x.shape).tolist(),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(x.shape),
    ],
    ids=["fortran", "float64", "big_endian", "negative_stride", "lists", "unaligned"],
)
def test_other_layouts_are_converted(shop, convert):
    assert graft.knn_graph(convert(shop.features), k=7) == shop.graph


def test_float16_is_converted(shop):
    half = shop.features.astype(np.float16)
    assert graft.knn_graph(half, k=7) == graft.knn_graph(half.astype(np.float32), k=7)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 3), (3, 1)])
def test_empty_and_thin_features_are_valid(shape):
    assert graft.knn_graph(np.zeros(shape, dtype=np.float32)).items == shape[0]


def test_features_are_left_as_they_were(shop):
    before = shop.features.copy()
    graft.refine(shop.features, shop.train)
    assert (shop.features == before).all()


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (np.zeros((2, 2), dtype=int), TypeError, "features: dtype int64: must be float16, float32 or float64"),
        (np.zeros((2, 2), dtype=complex), TypeError, "features: dtype complex128"),
        (np.zeros((2, 2), dtype=object), TypeError, "features: dtype object"),
        (np.zeros((2, 2), dtype=np.longdouble), TypeError, "features: dtype float128"),
        (np.zeros(4, dtype=np.float32), graft.InvalidArgument, r"features: shape \(4,\): must have 2 dimensions"),
        (np.ma.zeros((2, 2)), graft.InvalidArgument, "features: masked array"),
        ([[1.0], [1.0, 2.0]], graft.InvalidArgument, "features: must be an array"),
        (sp.csr_array((2, 2)), TypeError, r"features: scipy.sparse.*: must be dense"),
        ("text", TypeError, "features: dtype <U4"),
        (None, TypeError, "features: dtype object"),
        (np.array([[0.0], [np.nan]]), graft.InvalidArgument, "row 1"),
        (np.array([[1e300], [0.0]]), graft.InvalidArgument, "row 0"),
        (DLPack(np.zeros((2, 2)), (2, 0)), graft.BackendUnavailable, "features: is not in host memory"),
    ],
)
def test_features_that_cannot_be_used_are_refused_by_name(features, error, message):
    with pytest.raises(error, match=message):
        graft.knn_graph(features)


def test_each_array_of_a_call_is_named(shop):
    bad = np.zeros(3)
    with pytest.raises(graft.InvalidArgument, match="top_k_scores: items: shape"):
        graft.top_k_scores(shop.features, bad)
    with pytest.raises(graft.InvalidArgument, match=r"refine: features\[1\].features: shape"):
        graft.refine([graft.Modality(features=shop.features), graft.Modality(features=bad)], shop.train)
    with pytest.raises(TypeError, match=r"refine: features\[1\]: must be a graft.Modality"):
        graft.refine([graft.Modality(features=shop.features), shop.features], shop.train)
    with pytest.raises(TypeError, match=r"mix: graphs\[1\]: numpy.ndarray: must be a graft.Graph"):
        graft.mix([shop.graph, np.eye(2)], [1, 1])
    with pytest.raises(TypeError, match="mix: graphs: must be a list of graphs"):
        graft.mix(shop.graph, [1])
    with pytest.raises(TypeError, match="mix: coefficients = 'ab': must be floats"):
        graft.mix([shop.graph], "ab")
    with pytest.raises(TypeError, match="refine: interactions: list: must be graft.Interactions"):
        graft.refine(shop.features, [[1, 2]])


def test_scipy_arrays_of_graphs_are_read_in_place(shop):
    matrix = shop.graph.to_scipy(copy=True)
    items, _, indices, data = _inputs.graph("threshold", "graph", matrix)
    assert items == shop.ITEMS
    assert np.shares_memory(indices, matrix.indices)
    assert np.shares_memory(data, matrix.data)


def test_scipy_matrices_that_are_no_graphs_are_refused(shop):
    with pytest.raises(graft.InvalidArgument, match=r"threshold: graph: shape \(120, 200\): must be square"):
        graft.threshold(shop.matrix, 0.5)
    broken = shop.graph.to_scipy(copy=True)
    broken.indices[0] = 5000
    broken.has_sorted_indices = broken.has_canonical_format = True
    with pytest.raises(graft.InvalidArgument, match=r"columns\[0\] = 5000"):
        graft.threshold(broken, 0.5)
    broken.indices[0], broken.data[3] = 0, np.inf
    with pytest.raises(graft.InvalidArgument, match=r"weights\[3\] = inf"):
        graft.threshold(broken, 0.5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 0}, graft.InvalidArgument, "knn_graph: k = 0: must be >= 1"),
        ({"k": "3"}, TypeError, "knn_graph: k = '3': must be an int"),
        ({"k": 2.0}, TypeError, "knn_graph: k = 2.0: must be an int"),
        ({"k": True}, TypeError, "knn_graph: k = True: must be an int"),
        ({"k": 2**70}, graft.InvalidArgument, "knn_graph: k = 1180591620717411303424: must fit into 64 bits"),
        ({"min_similarity": "a"}, TypeError, "knn_graph: min_similarity = 'a': must be a float"),
        ({"min_similarity": True}, TypeError, "knn_graph: min_similarity = True: must be a float"),
        ({"min_similarity": float("nan")}, graft.InvalidArgument, "knn_graph: min_similarity"),
        ({"min_similarity": 1.5}, graft.InvalidArgument, "knn_graph: min_similarity = 1.5"),
        ({"metric": "angle"}, graft.InvalidArgument, "metric = 'angle': must be one of 'cosine', 'dot', 'l2'"),
        ({"metric": 3}, TypeError, "knn_graph: metric = 3: must be a str"),
        ({"self": "maybe"}, graft.InvalidArgument, "self = 'maybe': must be one of 'drop', 'keep'"),
        ({"row_range": (5, 2)}, graft.InvalidArgument, "knn_graph: row_range"),
        ({"row_range": 5}, TypeError, r"knn_graph: row_range = 5: must be a tuple of two ints"),
        ({"row_range": (0, "9")}, TypeError, "knn_graph: end = '9': must be an int"),
        ({"threads": -1}, graft.InvalidArgument, r"Context: threads = -1: must lie in \[0, 4096\]"),
        ({"threads": 1.5}, TypeError, "Context: threads = 1.5: must be an int"),
        ({"context": 3}, TypeError, "context = 3: must be a graft.Context"),
        ({"progress": "yes"}, TypeError, "progress = 'yes': must be True, False, None or callable"),
        ({"context": graft.Context(path="sse")}, graft.InvalidArgument, "Context: path = 'sse': must be one of"),
        ({"context": graft.Context(memory_budget=10)}, graft.OutOfMemory, "memory_budget"),
    ],
)
def test_options_out_of_range_are_refused_by_name(shop, options, error, message):
    with pytest.raises(error, match=message):
        graft.knn_graph(shop.features, **options)


def test_numpy_numbers_are_numbers(shop):
    graph = graft.knn_graph(shop.features, k=np.int32(7), min_similarity=np.float32(-1), threads=np.int64(1))
    assert graph == shop.graph


def test_options_without_default_are_required(shop):
    with pytest.raises(TypeError, match="min_similarity = None: is required"):
        graft.threshold(shop.graph, None)
    with pytest.raises(TypeError, match="aggregation"):
        graft.propagate(shop.graph, shop.features, 1)
    with pytest.raises(graft.InvalidArgument, match="aggregation = 'max': must be one of 'sum', 'mean'"):
        graft.propagate(shop.graph, shop.features, 1, "max")
    with pytest.raises(TypeError, match="add_self_loops = 1: must be a bool"):
        graft.refine(shop.features, shop.train, add_self_loops=1)


def test_sizes_that_differ_are_both_named(shop):
    with pytest.raises(graft.InvalidArgument, match=r"200.*50|50.*200"):
        graft.refine(shop.features[:50], shop.train)
    with pytest.raises(graft.InvalidArgument, match=r"200.*3|3.*200"):
        graft.add(shop.graph, graft.Graph(3))
