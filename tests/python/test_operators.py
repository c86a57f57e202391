"""The operators against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import graft

# Quarters have exact products and sums in float32: ties are real ties.
quarters = st.integers(-4, 4).map(lambda x: x / 4)
feature_matrices = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=quarters)
)


def top_rows(scores, k, keep=lambda score: True):
    """[row: {column: score}] of the k largest, ties to smaller columns."""
    rows = []
    for row in scores:
        order = sorted((-score, column) for column, score in row.items())[:k]
        rows.append({column: -score for score, column in order if keep(-score)})
    return rows


def as_rows(graph):
    return [
        dict(zip(graph.row_columns(i).tolist(), graph.row_weights(i).tolist(), strict=True)) for i in range(graph.items)
    ]


@given(feature_matrices, st.integers(1, 5), st.sampled_from([None, 0.0, 0.5]))
def test_knn_graph_by_dot_product_holds_the_k_largest(features, k, bound):
    products = features @ features.T
    scores = [{j: float(row[j]) for j in range(len(row)) if j != i} for i, row in enumerate(products)]
    keep = (lambda score: True) if bound is None else (lambda score: score >= bound)
    graph = graft.knn_graph(features, k=k, metric="dot", min_similarity=bound)
    assert as_rows(graph) == top_rows(scores, k, keep)


def test_knn_graph_by_cosine_agrees_with_numpy(shop):
    unit = shop.features / np.linalg.norm(shop.features, axis=1, keepdims=True)
    scores = unit @ unit.T
    np.fill_diagonal(scores, -2)
    expected = np.sort(np.argsort(-scores, axis=1, kind="stable")[:, :10], axis=1)
    graph = graft.knn_graph(shop.features)
    assert (graph.indices.reshape(-1, 10) == expected).all()
    assert np.allclose(graph.data, np.take_along_axis(scores, expected, 1).ravel(), atol=1e-6)
    kept = graft.knn_graph(shop.features, k=1, self="keep", weights="binary")
    assert kept == graft.Graph.identity(shop.ITEMS)


def jaccard_rows(matrix, k, min_support):
    common = (matrix.T @ matrix).toarray()
    degrees = common.diagonal()
    rows = []
    for i, row in enumerate(common):
        scores = {
            j: np.float32(c) / np.float32(degrees[i] + degrees[j] - c)
            for j, c in enumerate(row)
            if j != i and c >= min_support
        }
        rows.append({column: float(score) for column, score in scores.items()})
    return top_rows(rows, k)


@given(arrays(np.float32, (6, 9), elements=st.sampled_from([0.0, 1.0])), st.integers(1, 4), st.integers(1, 2))
def test_jaccard_graph_holds_the_k_largest_overlaps(dense, k, min_support):
    matrix = sp.csr_array(dense)
    assert as_rows(graft.jaccard_graph(matrix, k=k, min_support=min_support)) == jaccard_rows(matrix, k, min_support)


def test_refine_is_the_composition_of_its_parts(shop):
    similar = graft.knn_graph(shop.features, k=8, min_similarity=0.2, weights="binary")
    whole = graft.normalize(graft.add(similar, graft.jaccard_graph(shop.train, k=6)))
    refined, summary = graft.refine_with_summary(shop.features, shop.matrix, knn_k=8, threshold=0.2, jaccard_k=6)
    assert refined == whole
    assert refined == graft.refine(shop.features, shop.train, knn_k=8, threshold=0.2, jaccard_k=6)
    assert summary.edges == refined.edges
    assert summary.similarity_edges == similar.edges
    assert summary.similarity_edges_before == 8 * shop.ITEMS
    assert summary.self_loops == 0


def test_refine_takes_ready_graphs_and_several_modalities(shop):
    ready = graft.knn_graph(shop.features, k=8)
    expected = graft.refine(shop.features, shop.train, knn_k=8, threshold=0.2)
    for graph in (ready, ready.to_scipy(), ready.to_scipy().tocoo(), [graft.Modality(similarity=ready)]):
        assert graft.refine(graph, shop.train, knn_k=8, threshold=0.2) == expected
    both = [graft.Modality(features=shop.features, weight=3), graft.Modality(similarity=ready, threshold=0.9)]
    one = graft.knn_graph(shop.features, k=8, min_similarity=0.2, weights="binary")
    other = graft.binarize(graft.threshold(ready, 0.9))
    mixed = graft.normalize(graft.mix([one, other], [0.75, 0.25]))
    assert graft.refine(both, shop.train, knn_k=8, threshold=0.2, jaccard_k=0) == mixed


@pytest.mark.parametrize("preset", ["noself", "reference", "paper"])
def test_every_preset_and_option_of_refine_is_reached(shop, preset):
    graph = graft.refine(
        shop.features,
        shop.train,
        preset=preset,
        weights="similarity",
        symmetrize="mean",
        add_self_loops=True,
        normalization="row",
        epsilon=1e-7,
        threshold=-1,
    )
    assert (graph.to_scipy().diagonal() > 0).all()
    assert np.allclose(graph.to_scipy().sum(axis=1), 1, atol=1e-5)


def test_refine_may_normalise_the_two_graphs_apart(shop):
    similar = graft.normalize(graft.knn_graph(shop.features, k=5, min_similarity=0.2, weights="binary"))
    audience = graft.normalize(graft.jaccard_graph(shop.train, k=4))
    options = {"knn_k": 5, "threshold": 0.2, "jaccard_k": 4, "normalize_parts": True}
    made = graft.refine(shop.features, shop.train, enhancement_weight=0.5, **options)
    assert made == graft.add(similar, graft.scale(audience, 0.5))
    assert graft.refine(shop.features, shop.train, enhancement_weight=0, **options) == similar
    for value in (-1.0, float("nan"), float("inf")):
        with pytest.raises(graft.InvalidArgument, match="enhancement_weight"):
            graft.refine(shop.features, shop.train, enhancement_weight=value)


def test_refine_may_ask_for_more_than_one_common_user(shop):
    options = {"knn_k": 5, "threshold": 0.2, "jaccard_k": 4, "normalization": "none"}
    similar = graft.knn_graph(shop.features, k=5, min_similarity=0.2, weights="binary")
    for least in (1, 2):
        made = graft.refine(shop.features, shop.train, min_support=least, **options)
        audience = np.zeros((shop.ITEMS, shop.ITEMS))
        for i, row in enumerate(jaccard_rows(shop.matrix, 4, least)):
            audience[i, list(row)] = list(row.values())
        assert np.allclose(made.to_scipy().toarray(), similar.to_scipy().toarray() + audience, atol=1e-6)
    with pytest.raises(graft.InvalidArgument, match="min_support = 0: must be >= 1"):
        graft.refine(shop.features, shop.train, min_support=0)


def square(values):
    matrix = sp.csr_array(values)
    return matrix, graft.Graph.from_scipy(matrix)


small = arrays(np.float32, (6, 6), elements=quarters)


@given(small, quarters)
def test_filters_agree_with_scipy(values, bound):
    matrix, graph = square(values)
    kept = matrix.multiply(matrix.toarray() >= bound).toarray()
    assert (graft.threshold(graph, bound).to_scipy().toarray() == kept).all()
    assert (graft.binarize(graph).to_scipy().toarray() == (values != 0)).all()
    assert (graft.scale(graph, 0.5).to_scipy().toarray() == values / 2).all()
    assert (graft.drop_self_loops(graph).to_scipy().toarray() == values - np.diag(np.diag(values))).all()
    rows = [{j: float(v) for j, v in enumerate(row) if v != 0} for row in values]
    assert as_rows(graft.top_k(graph, 2)) == top_rows(rows, 2)


@given(small)
def test_symmetrize_agrees_with_numpy(values):
    graph = graft.Graph.from_scipy(sp.csr_array(np.abs(values)))
    dense = np.abs(values)
    assert (graft.symmetrize(graph).to_scipy().toarray() == np.maximum(dense, dense.T)).all()
    assert (graft.symmetrize(graph, "min").to_scipy().toarray() == np.minimum(dense, dense.T)).all()
    assert (graft.symmetrize(graph, "mean").to_scipy().toarray() == (dense + dense.T) / 2).all()


@given(small, small)
def test_sums_agree_with_numpy(left, right):
    a, b = square(left)[1], square(right)[1]
    assert (graft.add(a, b).to_scipy().toarray() == left + right).all()
    assert (graft.mix([a, b, a], [1, -2, 0.5]).to_scipy().toarray() == left - 2 * right + left / 2).all()


@given(small)
def test_normalize_agrees_with_numpy(values):
    dense = np.abs(values)
    graph = graft.Graph.from_scipy(sp.csr_array(dense))
    degrees = dense.astype(np.float64).sum(axis=1)
    positive = degrees > 0
    inverse = np.divide(1.0, degrees, out=np.zeros_like(degrees), where=positive)
    assert np.allclose(graft.normalize(graph, "row").to_scipy().toarray(), inverse[:, None] * dense)
    root = np.sqrt(inverse)
    symmetric = graft.normalize(graph).to_scipy().toarray()
    assert np.allclose(symmetric, root[:, None] * dense * root[None, :])
    assert graft.normalize(graph, "none") == graph


@given(small, st.integers(0, 3), st.sampled_from(["sum", "mean"]))
def test_propagate_agrees_with_numpy(values, layers, aggregation):
    features = np.arange(12, dtype=np.float32).reshape(6, 2) / 4
    total = layer = features.astype(np.float64)
    for _ in range(layers):
        layer = values.astype(np.float64) @ layer
        total = total + layer
    expected = total / (layers + 1) if aggregation == "mean" else total
    given_matrix = sp.csr_array(values)
    result = graft.propagate(given_matrix, features, layers, aggregation)
    assert result.dtype == np.float32
    assert np.allclose(result, expected, rtol=1e-5)


def test_propagate_writes_to_the_callers_array(shop):
    graph = graft.normalize(shop.graph)
    expected = graft.propagate(graph, shop.features, 2, "mean")
    wide = np.full((shop.ITEMS, shop.DIMS + 3), 7, dtype=np.float32)
    out = wide[:, 1:-2]
    assert graft.propagate(graph, shop.features, 2, "mean", out=out) is out
    assert (out == expected).all()
    assert (wide[:, 0] == 7).all() and (wide[:, -2:] == 7).all()
    for bad in (np.empty((3, 3), "f4"), np.empty(shop.features.shape), expected.T, [[1.0]], shop.graph.data):
        with pytest.raises(graft.InvalidArgument, match="propagate: out: must be a writeable float32"):
            graft.propagate(graph, shop.features, 2, "mean", out=bad)
    with pytest.raises(graft.InvalidArgument, match="must not overlap features"):
        graft.propagate(graph, wide[:, :-3], 1, "sum", out=wide[:, 3:])


def test_parts_joined_equal_the_whole(shop):
    whole = graft.knn_graph(shop.features, k=5)
    rows = [graft.knn_graph(shop.features, k=5, row_range=(b, b + 70)) for b in range(0, 200, 70)]
    assert graft.merge_top_k(rows, 5) == whole
    columns = [graft.knn_graph(shop.features, k=5, column_range=(b, b + 70)) for b in range(0, 200, 70)]
    assert graft.merge_top_k([columns[0], columns[1].to_scipy(), columns[2]], 5) == whole
    halves = [graft.jaccard_graph(shop.train, k=5, row_range=r) for r in ((0, 90), (90, 200))]
    assert graft.merge_top_k(halves, 5) == graft.jaccard_graph(shop.train, k=5)


@pytest.mark.parametrize("measure", ["jaccard", "cosine", "overlap", "pmi", "log_likelihood"])
def test_every_measure_of_audiences_is_reached(shop, measure):
    graph = graft.jaccard_graph(shop.train, k=4, measure=measure)
    assert graph.edges > 0
    i, j = 0, int(graph.row_columns(0)[0])
    c = len(set(shop.train.audience(i)) & set(shop.train.audience(j)))
    a, b, users = shop.train.degree(i), shop.train.degree(j), shop.USERS
    expected = {
        "jaccard": c / (a + b - c),
        "cosine": c / np.sqrt(a * b),
        "overlap": c / min(a, b),
        "pmi": np.log(c * users / (a * b)),
        "log_likelihood": log_likelihood(c, a, b, users),
    }
    assert graph.row_weights(0)[0] == pytest.approx(expected[measure], rel=1e-5)


def log_likelihood(c, a, b, users):
    observed = np.array([[c, a - c], [b - c, users - a - b + c]], dtype=float)
    expected = np.outer(observed.sum(1), observed.sum(0)) / users
    terms = observed * np.log(np.where(observed > 0, observed / expected, 1.0))
    return 2 * terms.sum()


def test_top_k_scores_ranks_and_leaves_out(shop):
    queries = np.random.default_rng(1).standard_normal((shop.USERS, shop.DIMS), dtype=np.float32)
    scores = queries @ shop.features.T
    scores[shop.user_ids, shop.item_ids] = -np.inf
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    for exclude in (shop.train, shop.matrix):
        ranking = graft.top_k_scores(queries, shop.features, k=5, exclude=exclude)
        assert len(ranking) == shop.USERS
        assert (ranking.ids.reshape(-1, 5) == expected).all()
        assert (ranking.row_ids(3) == expected[3]).all()
        assert np.allclose(ranking.row_scores(3), scores[3, expected[3]], atol=1e-5)
    part = graft.top_k_scores(queries, shop.features, k=5, row_range=(2, 4), metric="cosine", min_score=-1)
    assert np.diff(part.row_offsets).tolist() == [0, 0, 5, 5] + [0] * (shop.USERS - 4)
    with pytest.raises(graft.InvalidArgument, match="exclude: 120 rows: must be as many as queries, 3"):
        graft.top_k_scores(queries[:3], shop.features, exclude=shop.train)


def test_explain_tells_why(shop):
    options = {"knn_k": 8, "threshold": 0.2, "jaccard_k": 6}
    similar = graft.knn_graph(shop.features, k=8)
    neighbour = int(similar.row_columns(0)[np.argmax(similar.row_weights(0))])
    facts = graft.explain(shop.features, shop.train, 0, neighbour, **options)
    assert facts.similarity_rule == "kept"
    assert facts.cosine_rank == 1
    assert facts.degree_i == shop.train.degree(0)
    most = shop.train.users
    few = graft.explain(shop.features, shop.train, 4, 4, preset="paper", min_support=most, **options)
    assert (few.audience_rule, few.jaccard, few.jaccard_rank) == ("below_support", 1.0, 0)
    own = graft.explain(shop.features, shop.train, 4, 4, **options)
    assert (own.similarity_rule, own.cosine) == ("self_dropped", 1.0)
    with pytest.raises(graft.InvalidArgument, match=r"explain: j = 200: must lie in \[0, 200\)"):
        graft.explain(shop.features, shop.train, 0, 200)
    with pytest.raises(TypeError, match="explain: i = '0': must be an int"):
        graft.explain(shop.features, shop.train, "0", 0)


def test_plans_tell_costs_without_running(shop):
    plan = graft.plan_knn_graph(10**6, 384, k=20)
    assert 0 < plan.workspace_bytes <= 64 << 20
    assert plan.output_bytes >= 8 * 20 * 10**6
    assert plan.flops == pytest.approx(10**12 * 384, rel=0.1)
    assert graft.plan_jaccard_graph(shop.matrix, k=3).output_bytes >= 8 * 3
    assert graft.plan_top_k_scores(1000, 5000, 64, k=10).tiles > 0
    with pytest.raises(graft.InvalidArgument, match="k = 0"):
        graft.plan_knn_graph(10, 10, k=0)
    with pytest.raises(graft.OutOfMemory, match="memory_budget"):
        graft.plan_knn_graph(10**6, 384, context=graft.Context(memory_budget=1000))


def test_graphs_of_scipy_are_read_as_graphs(shop):
    matrix = shop.graph.to_scipy()
    shuffled = sp.csr_array(matrix, copy=True)
    for row in range(shop.ITEMS):
        begin, end = shuffled.indptr[row : row + 2]
        shuffled.indices[begin:end] = shuffled.indices[begin:end][::-1].copy()
        shuffled.data[begin:end] = shuffled.data[begin:end][::-1].copy()
    shuffled.has_sorted_indices = shuffled.has_canonical_format = False
    for given_matrix in (matrix, matrix.tocsc(), matrix.astype(np.float64), shuffled, sp.csr_matrix(matrix)):
        assert graft.threshold(given_matrix, 0.3) == graft.threshold(shop.graph, 0.3)
