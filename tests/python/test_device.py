"""Contexts that name a backend, and arrays on a CUDA device. Where there is none, what is missing is told."""

import numpy as np
import pytest

import graft
from graft import _inputs

CUDA = graft.Context(backend="cuda")
FEATURES = np.eye(4, 3, dtype=np.float32)


def missing():
    """What keeps a device from being used here, or None."""
    try:
        graft.knn_graph(FEATURES, k=1, context=CUDA)
    except graft.BackendUnavailable as error:
        return str(error)
    return None


class OnDevice:
    """What a library of CUDA arrays hands over; the pointer is never followed here."""

    def __init__(self, shape, typestr="<f4", strides=None):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "strides": strides,
            "data": (4096, False),
            "version": 3,
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


def test_layouts_of_device_arrays():
    assert _inputs.device_matrix("f", "x", OnDevice((4, 3))) == (4096, 4, 3, 3, 0)
    assert _inputs.device_matrix("f", "x", OnDevice((4, 3), strides=(20, 4))) == (4096, 4, 3, 5, 0)
    assert _inputs.device_matrix("f", "x", OnDevice((1, 3), strides=(4, 4))) == (4096, 1, 3, 3, 0)
    for strides in [(4, 16), (8, 4), (13, 4)]:
        with pytest.raises(graft.InvalidArgument, match="rows must be contiguous"):
            _inputs.device_matrix("f", "x", OnDevice((4, 3), strides=strides))
    with pytest.raises(graft.InvalidArgument, match="2 dimensions"):
        _inputs.device_matrix("f", "x", OnDevice((4,)))
    with pytest.raises(TypeError, match="must be float32"):
        _inputs.device_matrix("f", "x", OnDevice((4, 3), typestr="<f8"))
