"""Every worked number of the specification's example, through the command line."""

import numpy as np
import pytest

from conftest import save_graph

TOLERANCE = 2e-6
PROPAGATED_TOLERANCE = 1e-5
STANDARD = {"knn_k": 2, "threshold": 0.5, "jaccard_k": 2}
ALTERNATIVE = {"knn_k": 2, "threshold": 0.4, "jaccard_k": 1}
CASES = [
    pytest.param("paper", "paper_literal", STANDARD, id="paper"),
    pytest.param("reference", "reference_f32", STANDARD, id="reference"),
    pytest.param("noself", "noself", STANDARD, id="noself"),
    pytest.param("reference", "reference_f32_alt", ALTERNATIVE, id="reference-alternative"),
]


def ready_similarity(toy, tmp_path, diagonal):
    similarity = np.array(toy.golden["noself"]["S"], dtype=np.float32)
    if not diagonal:
        np.fill_diagonal(similarity, 0)
    return save_graph(tmp_path / "similarity.npz", similarity)


@pytest.fixture(params=["features", "graph", "graph-without-diagonal"])
def source(request, toy, tmp_path):
    if request.param == "features":
        return {"features": [toy.features]}
    return {"graphs": [ready_similarity(toy, tmp_path, request.param == "graph")]}


@pytest.mark.parametrize("preset, key, options", CASES)
def test_normalized_graph_and_propagation(toy, refine, source, preset, key, options):
    expected = toy.golden[key]
    graph = refine(toy.interactions, preset=preset, **options, **source).toarray()
    np.testing.assert_allclose(graph, expected["A"], rtol=0, atol=TOLERANCE)
    features = toy.feature_values.astype(np.float64)
    layer = graph.astype(np.float64) @ features
    np.testing.assert_allclose(features + layer, expected["Estar1"], rtol=0, atol=PROPAGATED_TOLERANCE)
    if "Estar2" in expected:
        two_layers = features + layer + graph.astype(np.float64) @ layer
        np.testing.assert_allclose(two_layers, expected["Estar2"], rtol=0, atol=PROPAGATED_TOLERANCE)


@pytest.mark.parametrize("preset, key, options", CASES)
def test_parts_sum_and_degrees(toy, refine, source, preset, key, options):
    expected = toy.golden[key]
    whole = refine(toy.interactions, preset=preset, normalization="none", **options, **source).toarray()
    np.testing.assert_allclose(whole, expected["W"], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(whole.sum(axis=1), expected["deg"], rtol=0, atol=TOLERANCE)
    options = options | {"jaccard_k": 0}
    denoised = refine(toy.interactions, preset=preset, normalization="none", **options, **source).toarray()
    np.testing.assert_array_equal(denoised, expected["St"])
    np.testing.assert_allclose(whole - denoised, expected["Ct"], rtol=0, atol=TOLERANCE)


def test_cosines_before_selection(toy, refine):
    graph = refine(
        toy.interactions,
        [toy.features],
        preset="paper",
        knn_k=4,
        threshold=-1,
        jaccard_k=0,
        weights="similarity",
        normalization="none",
    )
    np.testing.assert_allclose(graph.toarray(), toy.golden["noself"]["S"], rtol=0, atol=TOLERANCE)


def test_jaccard_before_selection(toy, refine, tmp_path):
    empty = save_graph(tmp_path / "empty.npz", np.zeros((4, 4)))
    graph = refine(toy.interactions, graphs=[empty], jaccard_k=4, normalization="none").toarray()
    np.testing.assert_array_equal(graph, np.array(toy.golden["noself"]["C"], dtype=np.float32))


def test_a_single_user_s_item_keeps_the_rounding_of_the_published_code(toy, refine):
    graph = refine(toy.interactions, [toy.features], preset="reference", normalization="none", **STANDARD)
    assert graph[3, 3] == np.float32(1) + np.float32(0.99999988)


def test_switches_around_the_presets(toy, refine):
    plain = refine(toy.interactions, [toy.features], normalization="none", **STANDARD).toarray()
    loops = refine(toy.interactions, [toy.features], normalization="none", add_self_loops=True, **STANDARD).toarray()
    np.testing.assert_array_equal(loops, plain + np.eye(4, dtype=np.float32))
    for how, expected in {"max": np.maximum(plain, plain.T), "mean": (plain + plain.T) / 2}.items():
        symmetric = refine(toy.interactions, [toy.features], normalization="none", symmetrize=how, **STANDARD).toarray()
        np.testing.assert_allclose(symmetric, expected, rtol=0, atol=TOLERANCE)
    both = np.where((plain > 0) & (plain.T > 0), np.minimum(plain, plain.T), 0)
    least = refine(toy.interactions, [toy.features], normalization="none", symmetrize="min", **STANDARD).toarray()
    np.testing.assert_array_equal(least, both)
    by_row = refine(toy.interactions, [toy.features], normalization="row", **STANDARD).toarray()
    np.testing.assert_allclose(by_row, plain / plain.sum(axis=1, keepdims=True), rtol=0, atol=TOLERANCE)
    with_epsilon = refine(toy.interactions, [toy.features], normalization="row", epsilon=0.5, **STANDARD).toarray()
    np.testing.assert_allclose(with_epsilon, plain / (plain.sum(axis=1, keepdims=True) + 0.5), rtol=0, atol=TOLERANCE)


def test_the_two_graphs_normalised_apart(toy, refine):
    def normal(graph):
        sums = graph.sum(axis=1)
        factor = np.where(sums > 0, 1 / np.sqrt(np.where(sums > 0, sums, 1)), 0)
        return graph * factor[:, None] * factor[None, :]

    parts = {"normalize_parts": True, "enhancement_weight": 0.5}
    made = refine(toy.interactions, [toy.features], **parts, **STANDARD).toarray()
    similar, audience = (np.array(toy.golden["noself"][name], dtype=np.float64) for name in ("St", "Ct"))
    np.testing.assert_allclose(made, normal(similar) + 0.5 * normal(audience), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_edges_by_audience_need_their_common_users(toy, refine, least):
    history = np.array(toy.golden["R"], dtype=np.int64)
    common = history.T @ history
    options = {"knn_k": 2, "threshold": 0.5, "jaccard_k": 4, "normalization": "none"}
    made = refine(toy.interactions, [toy.features], min_support=least, **options).toarray()
    audience = np.where(common >= least, toy.golden["noself"]["C"], 0)
    np.testing.assert_allclose(made, toy.golden["noself"]["St"] + audience, rtol=0, atol=TOLERANCE)


def test_similarity_weights_keep_the_cosine(toy, refine):
    graph = refine(
        toy.interactions,
        [toy.features],
        knn_k=2,
        threshold=0.5,
        jaccard_k=0,
        weights="similarity",
        normalization="none",
    ).toarray()
    expected = np.array(toy.golden["noself"]["S"]) * np.array(toy.golden["noself"]["St"])
    np.testing.assert_allclose(graph, expected, rtol=0, atol=TOLERANCE)


def test_modalities_are_summed_with_weights_scaled_to_one(toy, refine, tmp_path):
    other = tmp_path / "other:modality.npy"
    np.save(other, toy.feature_values[::-1])
    common = {"knn_k": 2, "normalization": "none"}
    first = refine(toy.interactions, [toy.features], threshold=0.5, jaccard_k=0, **common)
    second = refine(toy.interactions, [other], threshold=0.9, jaccard_k=0, **common)
    assert (first != second).nnz > 0
    assert second.nnz < refine(toy.interactions, [other], threshold=0.5, jaccard_k=0, **common).nnz
    whole = refine(toy.interactions, [f"{toy.features}:3", f"{other}:1:0.9"], threshold=0.5, jaccard_k=2, **common)
    expected = 0.75 * first.toarray() + 0.25 * second.toarray() + np.array(toy.golden["noself"]["Ct"])
    np.testing.assert_allclose(whole.toarray(), expected, rtol=0, atol=TOLERANCE)


def test_equal_weights_are_the_default_and_kinds_mix(toy, refine, tmp_path):
    similarity = ready_similarity(toy, tmp_path, diagonal=True)
    common = {"knn_k": 2, "threshold": 0.5, "jaccard_k": 2}
    mixed = refine(toy.interactions, [toy.features], [similarity], **common)
    np.testing.assert_allclose(mixed.toarray(), toy.golden["noself"]["A"], rtol=0, atol=TOLERANCE)
