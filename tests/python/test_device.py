"""Contexts that name a backend, and arrays on a CUDA device. Where there is none, what is missing is told."""

import ctypes
import os

import numpy as np
import pytest

import graft
import graft.cuda
from graft import _inputs

CUDA = graft.Context(backend="cuda")
FEATURES = np.eye(4, 3, dtype=np.float32)
TRAIN = graft.Interactions.from_pairs([0, 0, 1], [0, 3, 1], items=4)


def missing():
    """What keeps a device from being used here, or None."""
    try:
        graft.knn_graph(FEATURES, k=1, context=CUDA)
    except graft.BackendUnavailable as error:
        return str(error)
    return None


class OnDevice:
    """What a library of CUDA arrays hands over; the pointer is never followed here."""

    def __init__(self, shape, typestr="<f4", strides=None, stream=None):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "strides": strides,
            "data": (4096, False),
            "version": 3,
            "stream": stream,
        }


def test_backends_are_named():
    assert graft.Context().backend == "cpu"
    with pytest.raises(graft.InvalidArgument, match="backend"):
        graft.knn_graph(FEATURES, context=graft.Context(backend="gpu"))
    with pytest.raises(graft.InvalidArgument, match="device = -1"):
        graft.knn_graph(FEATURES, context=graft.Context(backend="cuda", device=-1))


def test_what_is_missing_is_told():
    text = missing()
    if text is None:
        pytest.skip("there is a CUDA device here")
    assert text.startswith("knn_graph: backend = cuda: ")
    with pytest.raises(graft.BackendUnavailable, match="backend = cuda"):
        graft.knn_graph(OnDevice((4, 3)), k=1, context=CUDA)
    with pytest.raises(graft.BackendUnavailable, match="backend = cuda"):
        graft.top_k_scores(FEATURES, FEATURES, k=1, backend="cuda")
    interactions = graft.Interactions.from_pairs(np.array([0, 0]), np.array([0, 3]))
    with pytest.raises(graft.BackendUnavailable, match="backend = cuda"):
        graft.jaccard_graph(interactions, backend="cuda")
    with pytest.raises(graft.BackendUnavailable, match="backend = cuda"):
        graft.refine(FEATURES, interactions, backend="cuda")


def test_auto_leaves_small_work_to_the_processor():
    auto = graft.Context(backend="auto")
    assert graft.knn_graph(FEATURES, k=2, context=auto) == graft.knn_graph(FEATURES, k=2)
    assert graft.knn_graph(FEATURES, k=2, context=CUDA, backend="cpu") == graft.knn_graph(FEATURES, k=2)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("threshold", (0.5,)),
        ("drop_self_loops", ()),
        ("binarize", ()),
        ("scale", (2.0,)),
        ("top_k", (1,)),
        ("symmetrize", ()),
        ("normalize", ()),
        ("propagate", (FEATURES, 1)),
    ],
)
def test_the_algebra_runs_where_the_context_says(name, arguments):
    graph = graft.knn_graph(FEATURES, k=2)
    operator = getattr(graft, name)
    options = {"aggregation": "sum"} if name == "propagate" else {}
    if missing() is not None:
        with pytest.raises(graft.BackendUnavailable, match=f"{name}: backend = cuda"):
            operator(graph, *arguments, context=CUDA, **options)
        return
    made = operator(graph, *arguments, context=CUDA, **options)
    expected = operator(graph, *arguments, **options)
    assert np.allclose(made, expected, atol=1e-6) if name == "propagate" else made == expected


def test_device_arrays_need_a_device_context():
    with pytest.raises(graft.BackendUnavailable, match="is not in host memory"):
        graft.knn_graph(OnDevice((4, 3)))


def facts_of(array):
    with _inputs.device_matrix("f", "x", array) as facts:
        return facts


def test_layouts_of_device_arrays():
    assert facts_of(OnDevice((4, 3))) == (4096, 4, 3, 3, 0, None)
    assert facts_of(OnDevice((4, 3), strides=(20, 4))) == (4096, 4, 3, 5, 0, None)
    assert facts_of(OnDevice((1, 3), strides=(4, 4))) == (4096, 1, 3, 3, 0, None)
    assert facts_of(OnDevice((4, 3), stream=7)) == (4096, 4, 3, 3, 0, 7)
    for strides in [(4, 16), (8, 4), (13, 4)]:
        with pytest.raises(graft.InvalidArgument, match="rows must be contiguous"):
            facts_of(OnDevice((4, 3), strides=strides))
    with pytest.raises(graft.InvalidArgument, match="2 dimensions"):
        facts_of(OnDevice((4,)))
    with pytest.raises(TypeError, match="must be float32"):
        facts_of(OnDevice((4, 3), typestr="<f8"))


class ByDlpack:
    """An array of the host that says it is a CUDA device's, and knows no other protocol than DLPack."""

    def __init__(self, array):
        self._array = array
        self.streams = []

    def __dlpack__(self, stream=None):
        self.streams.append(stream)
        return self._array.__dlpack__()

    def __dlpack_device__(self):
        return 2, 0


def test_layouts_of_dlpack_arrays():
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    given = ByDlpack(array)
    assert _inputs.is_on_device(given)
    assert facts_of(given) == (array.ctypes.data, 4, 3, 3, 0, 1)
    assert given.streams == [1]  # the producer is told whose work comes next
    assert facts_of(ByDlpack(array[1:, :2])) == (array[1:].ctypes.data, 3, 2, 3, 0, 1)
    with pytest.raises(graft.InvalidArgument, match="rows must be contiguous"):
        facts_of(ByDlpack(array.T))
    with pytest.raises(TypeError, match="must be float32"):
        facts_of(ByDlpack(array.astype(np.float64)))
    assert not _inputs.is_on_device(array)


def test_options_that_do_not_exist_are_named():
    with pytest.raises(TypeError, match="graft.cuda.knn_graph: unexpected argument 'kk'"):
        graft.cuda.knn_graph(FEATURES, kk=3)
    with pytest.raises(TypeError, match="unexpected argument 'backend'"):
        graft.cuda.refine(FEATURES, TRAIN, backend="cpu")


def test_a_graph_on_the_device_needs_one():
    if missing() is not None:
        with pytest.raises(graft.BackendUnavailable, match="refine|knn_graph"):
            graft.cuda.refine(FEATURES, TRAIN)
        with pytest.raises(graft.BackendUnavailable, match="to_device"):
            graft.cuda.to_device(graft.Graph.identity(3))


# The emulated device of tests/cuda reads the host's memory as its own.
emulated = pytest.mark.skipif("GRAFT_EMULATED_DEVICE" not in os.environ, reason="needs the emulated device")


def on_device(array, stream=None):
    given = OnDevice(array.shape, strides=array.strides, stream=stream)
    given.__cuda_array_interface__["data"] = (array.ctypes.data, False)
    return given


def part(pointer, size, kind):
    return np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(kind)), (size,))


@emulated
def test_graphs_stay_where_they_were_made():
    random = np.random.default_rng(5)
    features = random.normal(size=(50, 8)).astype(np.float32)
    train = graft.Interactions.from_pairs(random.integers(0, 30, 200), random.integers(0, 50, 200), items=50)
    options = {"knn_k": 4, "threshold": 0.1, "jaccard_k": 3, "min_support": 1, "normalize_parts": True}
    expected = graft.refine(features, train, context=CUDA, **options)
    for given in (features, on_device(features), on_device(features, stream=1), ByDlpack(features)):
        graph = graft.cuda.refine(given, train, **options)
        assert (graph.items, graph.edges, graph.device) == (50, expected.edges, 0)
        assert graph.to_host() == expected
    offsets, columns, weights = graph._addresses()
    assert np.array_equal(part(offsets, 51, ctypes.c_int64), expected.indptr)
    assert np.array_equal(part(columns, graph.edges, ctypes.c_int32), expected.indices)
    assert np.array_equal(part(weights, graph.edges, ctypes.c_float), expected.data)
    assert graft.cuda.knn_graph(on_device(features), k=3).to_host() == graft.knn_graph(features, k=3, context=CUDA)
    assert graft.knn_graph(ByDlpack(features), k=3, context=CUDA) == graft.knn_graph(features, k=3, context=CUDA)
    assert graft.cuda.jaccard_graph(train, k=3).to_host() == graft.jaccard_graph(train, k=3)
    assert graft.cuda.to_device(expected).to_host() == expected


@emulated
def test_device_errors_reach_python():
    features = np.ones((5, 2), dtype=np.float32)
    features[3, 1] = np.nan
    with pytest.raises(graft.InvalidArgument, match="features row 3"):
        graft.cuda.knn_graph(on_device(features), k=2)
    with pytest.raises(graft.InvalidArgument, match="must be on the context's device"):
        graft.cuda.knn_graph(on_device(features[:3]), k=2, context=graft.Context(device=1))


@emulated
def test_the_algebra_of_graphs_on_the_device():
    random = np.random.default_rng(6)
    features = random.normal(size=(40, 6)).astype(np.float32)
    train = graft.Interactions.from_pairs(random.integers(0, 30, 200), random.integers(0, 40, 200), items=40)
    here = graft.knn_graph(features, k=4, context=CUDA)
    other = graft.jaccard_graph(train, k=3)
    graph, audience = graft.cuda.to_device(here), graft.cuda.to_device(other)
    for made, expected in [
        (graft.cuda.threshold(graph, 0.2), graft.threshold(here, 0.2)),
        (graft.cuda.binarize(graph), graft.binarize(here)),
        (graft.cuda.drop_self_loops(graph), graft.drop_self_loops(here)),
        (graft.cuda.scale(graph, 0.5), graft.scale(here, 0.5)),
        (graft.cuda.top_k(graph, 2), graft.top_k(here, 2)),
        (graft.cuda.symmetrize(graph, "mean"), graft.symmetrize(here, "mean")),
        (graft.cuda.normalize(graph, "row", epsilon=0.1), graft.normalize(here, "row", epsilon=0.1)),
        (graft.cuda.add(graph, audience), graft.add(here, other)),
        (graft.cuda.mix(graph, 0.5, audience, 2.0), graft.mix([here, other], [0.5, 2.0])),
    ]:
        assert made.to_host() == expected
    assert (graft.cuda.transpose(graph).to_host().to_scipy() != here.to_scipy().T).nnz == 0
    propagated = graft.cuda.propagate(graph, on_device(features), 2, "mean")
    assert (propagated.shape, propagated.device) == ((40, 6), 0)
    assert np.array_equal(propagated.to_host(), graft.propagate(here, features, 2, "mean", context=CUDA))
    facts = propagated.__cuda_array_interface__
    shared = part(facts["data"][0], 40 * 6, ctypes.c_float).reshape(facts["shape"])
    assert np.array_equal(shared, propagated.to_host())
    again = graft.cuda.propagate(graph, propagated, 0, "sum")  # what it makes, it takes
    assert np.array_equal(again.to_host(), propagated.to_host())
    with pytest.raises(TypeError, match="must be on the graph's device"):
        graft.cuda.propagate(graph, features, 1, "sum")
    with pytest.raises(graft.InvalidArgument, match="min_similarity"):
        graft.cuda.threshold(graph, float("nan"))


@emulated
def test_rankings_of_device_arrays():
    random = np.random.default_rng(7)
    queries, items = (random.normal(size=(rows, 5)).astype(np.float32) for rows in (9, 30))
    seen = graft.Interactions.from_pairs(random.integers(0, 9, 40), random.integers(0, 30, 40), users=9, items=30)
    expected = graft.top_k_scores(queries, items, k=4, exclude=seen, context=CUDA)
    given = graft.top_k_scores(on_device(queries), ByDlpack(items), k=4, exclude=seen, context=CUDA)
    assert np.array_equal(given.ids, expected.ids)
    assert np.array_equal(given.scores, expected.scores)


def test_rankings_take_both_sides_from_one_memory():
    with pytest.raises(graft.InvalidArgument, match="items are on a device, queries are not"):
        graft.top_k_scores(FEATURES, OnDevice((4, 3)), context=CUDA)
    with pytest.raises(graft.InvalidArgument, match="queries are on a device and items are not"):
        graft.top_k_scores(OnDevice((4, 3)), FEATURES, context=CUDA)
