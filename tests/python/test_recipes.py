"""Recipes: what published models hold as item-item matrices, against worked numbers and slow, dense definitions."""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import graft
from conftest import REPOSITORY
from graft import recipes
from recipe_definitions import audiences, interest, neighbours, normal, refined
from test_memory import MEBIBYTE, run

MODELS = json.loads((REPOSITORY / "tests" / "python" / "golden" / "models.json").read_text())
REFINEMENT = json.loads((REPOSITORY / "tests" / "golden" / "graph_refinement.json").read_text())
TEXT, IMAGE = (np.array(MODELS[name], dtype=np.float32) for name in ("T", "E"))
TRAIN = sp.csr_array(np.array(MODELS["R"], dtype=np.float32))
CLOSE = {"rtol": 0, "atol": 2e-6}

ALL = ["freedom", "lattice", "mgcn", "smore", "gume", "soil"]


def dense(matrix):
    return matrix.toarray()


def matrices(result):
    """The matrices of a result, by name."""
    return vars(result) if not hasattr(result, "shape") else {"": result}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


class Small:
    """Random content and interactions, of sizes at which dense definitions are quick."""

    USERS, ITEMS = 25, 40

    def __init__(self):
        random = np.random.default_rng(11)
        self.text = random.standard_normal((self.ITEMS, 6), dtype=np.float32) + np.float32(0.5)
        self.image = random.standard_normal((self.ITEMS, 4), dtype=np.float32) + np.float32(0.5)
        self.history = random.random((self.USERS, self.ITEMS)) < 0.15
        few = self.history.sum(axis=1) < 3  # of two items, both are as near to their user: a tie
        self.history[few, :3] = True
        self.history[3] = False  # a user and an item without interactions
        self.history[:, 5] = False
        self.train = sp.csr_array(self.history.astype(np.float32))


@pytest.fixture(scope="module")
def small():
    return Small()


# Worked numbers.


@pytest.mark.parametrize("name", ["text", "image"])
def test_freedom_with_one_modality_has_the_worked_numbers(name):
    made = recipes.freedom(TRAIN, **{name: IMAGE}, k=2, to="scipy")
    np.testing.assert_allclose(dense(made), MODELS["freedom_M_K2"], **CLOSE)


def test_freedom_mixes_its_modalities():
    made = recipes.freedom(TRAIN, text=TEXT, image=IMAGE, k=2, image_weight=0.1, to="scipy")
    text = recipes.freedom(TRAIN, text=TEXT, k=2, to="scipy")
    np.testing.assert_allclose(dense(made), 0.1 * np.array(MODELS["freedom_M_K2"]) + 0.9 * dense(text), **CLOSE)


@pytest.mark.parametrize("recipe", [recipes.lattice, recipes.mgcn])
def test_lattice_and_mgcn_have_the_worked_numbers(recipe):
    made = recipe(TRAIN, text=TEXT, image=IMAGE, k=2, to="scipy")
    np.testing.assert_allclose(dense(made.image), MODELS["lattice_lap_K2"], **CLOSE)
    np.testing.assert_allclose(dense(made.text), MODELS["soil_K_t"], **CLOSE)
    assert recipe(TRAIN, text=TEXT, k=2, to="scipy").image is None


def test_smore_takes_the_larger_of_the_worked_numbers():
    made = recipes.smore(TRAIN, text=TEXT, image=IMAGE, k=2, to="scipy")
    np.testing.assert_allclose(dense(made.image), MODELS["soil_K_v"], **CLOSE)
    np.testing.assert_allclose(dense(made.text), MODELS["soil_K_t"], **CLOSE)
    np.testing.assert_allclose(dense(made.fusion), np.maximum(MODELS["soil_K_v"], MODELS["soil_K_t"]), **CLOSE)


def test_gume_with_no_shared_neighbours_has_the_plain_user_item_graph():
    made = recipes.gume(TRAIN, text=TEXT, image=IMAGE, k=1, to="scipy")
    assert made.shared.nnz == 0
    np.testing.assert_allclose(dense(made.user_item_block), MODELS["ui_sym_block"], **CLOSE)


def test_gume_has_the_worked_item_graphs_and_the_neighbours_that_both_know():
    made = recipes.gume(TRAIN, text=TEXT, image=IMAGE, k=2, to="scipy")
    np.testing.assert_allclose(dense(made.image), MODELS["soil_K_v"], **CLOSE)
    np.testing.assert_allclose(dense(made.text), MODELS["soil_K_t"], **CLOSE)
    assert np.argwhere(dense(made.shared)).tolist() == [[1, 2], [2, 1]]  # image 0: 1, 1: 2, 2: 1, 3: 2; text 1: 2, 2: 1
    # Degrees of the items 2, 5 + 1, 2 + 1, 1; of the users 3, 3, 1, 1, 2.
    block = np.array(MODELS["R"]) / np.sqrt(np.outer([3, 3, 1, 1, 2], [2, 6, 3, 1]))
    np.testing.assert_allclose(dense(made.user_item_block), block, **CLOSE)
    np.testing.assert_allclose(dense(made.user_item)[6, 7], 1 / np.sqrt(18), **CLOSE)


def test_soil_has_the_worked_numbers():
    """The sums of items 1 and 2 over text tie for two users: either is right."""
    similar = recipes.soil(TRAIN, text=TEXT, image=IMAGE, k=2, interest_k=0, to="scipy")
    np.testing.assert_allclose(dense(similar.image), MODELS["soil_K_v"], **CLOSE)
    np.testing.assert_allclose(dense(similar.text), MODELS["soil_K_t"], **CLOSE)
    made = recipes.soil(TRAIN, text=TEXT, image=IMAGE, k=2, interest_k=1, to="scipy")
    interest = [dense(made.image) - MODELS["soil_K_v"], dense(made.text) - MODELS["soil_K_t"]]
    fits = [
        all(np.allclose(part, MODELS[f"{name}_{m}"], **CLOSE) for part, m in zip(interest, "vt"))
        for name in ("soil_I", "soil_tie2_I")
    ]
    assert fits.count(True) == 1
    for view, m in ((made.image, "v"), (made.text, "t")):
        stored = np.array(MODELS[f"soil_K_{m}"]) + MODELS[f"{('soil_I', 'soil_tie2_I')[fits[1]]}_{m}"]
        assert ((dense(view) != 0) == (stored != 0)).all()  # a similarity of 0 is no edge, and gets no least weight


@pytest.mark.parametrize(
    ("name", "preset", "options"),
    [
        ("reference_f32", "reference", {"threshold": 0.5, "jaccard_k": 2}),
        ("reference_f32_alt", "reference", {"threshold": 0.4, "jaccard_k": 1}),
        ("noself", "noself", {"threshold": 0.5, "jaccard_k": 2}),
        ("paper_literal", "paper", {"threshold": 0.5, "jaccard_k": 2}),
    ],
)
def test_refined_graphs_have_the_worked_numbers(name, preset, options):
    arguments = {"k": 2, "graph": "refined", "preset": preset, "to": "scipy", **options}
    expected = REFINEMENT[name]["A"]
    plain = recipes.freedom(TRAIN, image=IMAGE, **arguments)
    np.testing.assert_allclose(dense(plain), expected, **CLOSE)
    one = recipes.lattice(TRAIN, image=IMAGE, **arguments)
    np.testing.assert_allclose(dense(one.image), expected, **CLOSE)
    both = recipes.smore(TRAIN, text=IMAGE, image=IMAGE, **arguments)
    np.testing.assert_allclose(dense(both.fusion), expected, **CLOSE)
    soil = recipes.soil(TRAIN, text=IMAGE, image=IMAGE, interest_k=0, **arguments)
    np.testing.assert_allclose(dense(soil.text), expected, **CLOSE)


# Definitions.


@pytest.mark.parametrize("preset", ["reference", "noself"])
@pytest.mark.parametrize("weights", ["binary", "similarity"])
@pytest.mark.parametrize("jaccard_k", [0, 4])
def test_modality_graphs_are_as_defined(small, preset, weights, jaccard_k):
    both = {"text": small.text, "image": small.image, "k": 5, "to": "scipy"}
    alphas = {"text": 0.4, "image": 0.1}
    made = recipes.lattice(
        small.train,
        **both,
        graph="refined",
        threshold=alphas["text"],
        image_threshold=alphas["image"],
        jaccard_k=jaccard_k,
        preset=preset,
        weights=weights,
    )
    for name in ("text", "image"):
        expected = refined(
            both[name],
            small.history,
            k=5,
            threshold=alphas[name],
            jaccard_k=jaccard_k,
            preset=preset,
            weights=weights,
        )
        np.testing.assert_allclose(dense(getattr(made, name)), expected, **CLOSE)
    vanilla = recipes.mgcn(small.train, **both)
    for name in ("text", "image"):
        np.testing.assert_allclose(dense(getattr(vanilla, name)), normal(neighbours(both[name], 5)), **CLOSE)


@pytest.mark.parametrize("placement", ["per_modality", "after_mix"])
@pytest.mark.parametrize("graph", ["vanilla", "refined"])
def test_freedom_is_as_defined(small, graph, placement):
    options = {"k": 5, "threshold": 0.4, "jaccard_k": 4}
    made = recipes.freedom(
        small.train,
        text=small.text,
        image=small.image,
        image_weight=0.3,
        epsilon=0.5,
        graph=graph,
        placement=placement,
        image_threshold=0.1,
        to="scipy",
        **options,
    )
    parts = [(0.7, small.text, 0.4), (0.3, small.image, 0.1)]
    if graph == "vanilla":
        expected = sum(w * normal(neighbours(x, 5, weights="binary"), 0.5) for w, x, _ in parts)
    elif placement == "per_modality":
        options.pop("threshold")
        expected = sum(w * refined(x, small.history, threshold=a, epsilon=0.5, **options) for w, x, a in parts)
    else:
        similar = sum(w * neighbours(x, 5, a, "binary") for w, x, a in parts)
        expected = normal(similar + audiences(small.history, 4, "reference"), 0.5)
    np.testing.assert_allclose(dense(made), expected, **CLOSE)


@pytest.mark.parametrize("normalize_parts", [False, True])
def test_the_two_graphs_may_be_normalised_apart_and_weighted(small, normalize_parts):
    options = {"k": 5, "threshold": 0.4, "jaccard_k": 4, "epsilon": 0.5}
    options |= {"normalize_parts": normalize_parts, "enhancement_weight": 0.7}
    made = recipes.lattice(small.train, text=small.text, graph="refined", to="scipy", **options)
    np.testing.assert_allclose(dense(made.text), refined(small.text, small.history, **options), **CLOSE)
    plain = recipes.lattice(small.train, text=small.text, k=5, to="scipy")
    ignored = recipes.lattice(
        small.train, text=small.text, k=5, to="scipy", normalize_parts=normalize_parts, enhancement_weight=0.7
    )
    np.testing.assert_array_equal(dense(plain.text), dense(ignored.text))


@pytest.mark.parametrize("preset", ["reference", "noself"])
def test_edges_by_audience_may_need_more_than_one_common_user(small, preset):
    options = {"k": 5, "threshold": 0.4, "jaccard_k": 4, "preset": preset}
    expected = [refined(small.text, small.history, min_support=least, **options) for least in (1, 2, 3)]
    assert all((a != b).any() for a, b in zip(expected, expected[1:]))
    for least, dense_graph in zip((1, 2, 3), expected):
        made = recipes.lattice(small.train, text=small.text, graph="refined", min_support=least, to="scipy", **options)
        np.testing.assert_allclose(dense(made.text), dense_graph, **CLOSE)


def test_every_recipe_takes_min_support(small):
    options = {"graph": "refined", "k": 5, "threshold": 0.4, "to": "graft"}
    both = {"text": small.text, "image": small.image}
    for model in (recipes.freedom, recipes.lattice, recipes.mgcn, recipes.smore, recipes.gume, recipes.soil):
        made, plain = (model(small.train, min_support=least, **both, **options) for least in (2, 1))
        graphs = [(made, plain)] if model is recipes.freedom else [(made.text, plain.text), (made.image, plain.image)]
        assert all(supported != other for supported, other in graphs)
        with pytest.raises(graft.InvalidArgument, match="min_support = 0: must be >= 1"):
            model(small.train, min_support=0, **both, **options)


@pytest.mark.parametrize(("weight", "left"), [(0.0, "text"), (1.0, "image")])
def test_a_modality_without_weight_is_left_out(small, weight, left):
    made = recipes.freedom(small.train, text=small.text, image=small.image, image_weight=weight, to="graft")
    assert made == recipes.freedom(small.train, **{left: getattr(small, left)}, to="graft")


@pytest.mark.parametrize("graph", ["vanilla", "refined"])
def test_smore_fuses_by_the_larger_weight_of_the_edges_that_are_there(small, graph):
    options = {"threshold": -0.2, "jaccard_k": 3, "weights": "similarity"}
    made = recipes.smore(
        small.train, text=small.text, image=small.image, k=20, image_k=35, graph=graph, to="scipy", **options
    )
    contents = ((small.text, 20), (small.image, 35))
    if graph == "vanilla":
        edges = [neighbours(x, k) for x, k in contents]
    else:
        edges = [neighbours(x, k, -0.2) + audiences(small.history, 3, "reference") for x, k in contents]
    views = [normal(weights) for weights in edges]
    fused = np.max([np.where(weights == 0, -np.inf, view) for weights, view in zip(edges, views)], axis=0)
    fused[np.isinf(fused)] = 0
    assert fused.min() < 0  # an absent edge is not a weight of zero
    for view, expected in zip((made.text, made.image, made.fusion), (*views, fused)):
        np.testing.assert_allclose(dense(view), expected, **CLOSE)


@pytest.mark.parametrize(
    ("graph", "shared"),
    [("vanilla", "refined"), ("refined", "vanilla"), ("refined", "denoised"), ("refined", "refined")],
)
def test_gume_is_as_defined(small, graph, shared):
    options = {"threshold": 0.3, "jaccard_k": 3}
    made = recipes.gume(
        small.train, text=small.text, image=small.image, k=12, graph=graph, shared=shared, to="scipy", **options
    )
    contents = (small.text, small.image)
    host = [neighbours(x, 12) for x in contents]
    if graph == "vanilla":
        expected = [normal(part) for part in host]
        sets = host
    else:
        expected = [refined(x, small.history, k=12, **options) for x in contents]
        sets = {"vanilla": host, "denoised": [neighbours(x, 12, 0.3) for x in contents], "refined": expected}[shared]
    for view, values in zip((made.text, made.image), expected):
        np.testing.assert_allclose(dense(view), values, **CLOSE)
    both = ((sets[0] != 0) & (sets[1] != 0) & ~np.eye(small.ITEMS, dtype=bool)).astype(float)
    assert 0 < both.sum() < 12 * small.ITEMS
    assert (dense(made.shared) == both).all()
    history = small.history.astype(float)
    user_item = normal(np.block([[np.zeros((small.USERS, small.USERS)), history], [history.T, both]]))
    np.testing.assert_allclose(dense(made.user_item), user_item, **CLOSE)
    np.testing.assert_allclose(dense(made.user_item_block), user_item[: small.USERS, small.USERS :], **CLOSE)


@pytest.mark.parametrize("graph", ["vanilla", "refined"])
def test_soil_is_as_defined(small, graph):
    options = {"threshold": 0.3, "jaccard_k": 3}
    contents = (small.text, small.image)
    made = recipes.soil(
        small.train, text=small.text, image=small.image, k=35, interest_k=4, graph=graph, to="scipy", **options
    )
    for view, x, sums in zip((made.text, made.image), contents, interest(small.history, contents, 4)):
        similar = neighbours(x, 35)
        similar = normal(similar) if graph == "vanilla" else refined(x, small.history, k=35, **options)
        kept = neighbours(x, 35) != 0 if graph == "vanilla" else similar != 0
        parts = [np.where(sums != 0, np.maximum(normal(sums), 1e-7), 0), np.where(kept, np.maximum(similar, 1e-7), 0)]
        np.testing.assert_allclose(dense(view), sum(parts), **CLOSE)
        assert view.data.min() >= np.float32(1e-7)


def test_soil_gives_the_same_whatever_the_size_of_its_blocks(small, monkeypatch):
    arguments = {"text": small.text, "image": small.image, "interest_k": 4, "to": "graft"}
    expected = recipes.soil(small.train, **arguments)
    for limit in ("USER_BYTES", "PAIR_BYTES"):
        monkeypatch.setattr(graft._interest, limit, 100)
    made = recipes.soil(small.train, **arguments)
    assert made.text == expected.text
    assert made.image == expected.image


# What holds for all.


def make(model, train, text, image, **options):
    return getattr(recipes, model)(train, text=text, image=image, **options)


@pytest.mark.parametrize("graph", ["vanilla", "refined"])
@pytest.mark.parametrize("model", ALL)
def test_threads_change_nothing(shop, model, graph):
    image = np.ascontiguousarray(shop.features[:, :9])
    made = [
        matrices(
            make(model, shop.train, shop.features, image, graph=graph, to="graft", context=graft.Context(threads=n))
        )
        for n in (1, 3)
    ]
    for name, first in made[0].items():
        second = made[1][name]
        assert first == second if isinstance(first, graft.Graph) else (first != second).nnz == 0


@pytest.mark.parametrize("graph", ["vanilla", "refined"])
@pytest.mark.parametrize("model", ALL)
def test_ready_neighbours_give_what_features_give(shop, model, graph):
    options = {"graph": graph, "threshold": 0.1, "k": 8, "to": "graft"}
    if model == "soil":
        options["interest_k"] = 0
    ready = graft.knn_graph(shop.features, k=7)
    expected = matrices(make(model, shop.train, shop.features, shop.features, **options))
    for text, image in ((ready, ready.to_scipy()), (ready, shop.features)):
        made = matrices(make(model, shop.matrix, text, image, **options))
        assert [matrix.shape for matrix in made.values()] == [matrix.shape for matrix in expected.values()]
        for name, matrix in made.items():
            assert matrix == expected[name] if isinstance(matrix, graft.Graph) else (matrix != expected[name]).nnz == 0


@pytest.mark.parametrize("model", ALL)
def test_what_refines_plays_no_part_in_a_vanilla_graph(small, model):
    text = small.text.copy()
    text[7] = 0  # an item that only its image describes
    own = {"freedom": {"placement": "after_mix"}, "gume": {"shared": "refined"}}.get(model, {})
    weights = "similarity" if model == "freedom" else "binary"
    refinement = {"threshold": 0.9, "image_threshold": 0.8, "jaccard_k": 3, "preset": "noself", "weights": weights}
    made = matrices(make(model, small.train, text, small.image, to="scipy", **refinement, **own))
    for name, expected in matrices(make(model, small.train, text, small.image, to="scipy")).items():
        assert (made[name] != expected).nnz == 0


@pytest.mark.parametrize("model", ALL)
def test_refinement_changes_the_matrices(shop, model):
    made = [
        matrices(make(model, shop.train, shop.features, shop.features, graph=graph, to="graft"))
        for graph in ("vanilla", "refined")
    ]
    name = "text" if "text" in made[0] else ""
    assert made[0][name] != made[1][name]


@pytest.mark.parametrize("graph", ["vanilla", "refined"])
@pytest.mark.parametrize("model", ALL)
def test_tensors_are_what_the_models_hold(torch, shop, model, graph):
    tensors = matrices(make(model, shop.train, shop.features, shop.features, graph=graph))
    expected = matrices(make(model, shop.train, shop.features, shop.features, graph=graph, to="scipy"))
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert tensor.layout == torch.sparse_coo
        assert tensor.dtype == torch.float32
        assert tensor.is_coalesced()
        torch.sparse_coo_tensor(tensor.indices(), tensor.values(), tensor.shape, check_invariants=True)
        ordered = tensor.indices()[0] * tensor.shape[1] + tensor.indices()[1]
        assert (ordered.diff() > 0).all()
        assert (tensor.to_dense().numpy() == dense(expected[name])).all()
        columns = torch.ones(tensor.shape[1], 3)
        assert torch.allclose(torch.sparse.mm(tensor, columns)[:, 0], tensor.to_dense().sum(dim=1), atol=1e-5)


def test_gradients_flow_through_the_matrices(torch, shop):
    adjacency = recipes.freedom(shop.train, text=shop.features)
    embeddings = torch.ones(shop.ITEMS, 2, requires_grad=True)
    torch.sparse.mm(adjacency, embeddings).sum().backward()
    assert torch.allclose(embeddings.grad[:, 0], adjacency.to_dense().sum(dim=0), atol=1e-5)


def test_features_may_be_tensors(torch, shop):
    made = recipes.freedom(shop.train, text=torch.from_numpy(shop.features), to="graft")
    assert made == recipes.freedom(shop.train, text=shop.features, to="graft")


@pytest.mark.parametrize("model", ALL)
def test_without_torch_a_recipe_says_what_to_install(monkeypatch, shop, model):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=f"recipes.{model} needs PyTorch: pip install torch"):
        make(model, shop.train, shop.features, shop.features)
    assert make(model, shop.train, shop.features, shop.features, to="graft") is not None


@pytest.mark.parametrize("model", ALL)
def test_an_item_without_content_or_audience_has_no_edges(small, model):
    text, image = small.text.copy(), small.image.copy()
    text[5] = image[5] = 0
    for graph in ("vanilla", "refined"):
        for name, matrix in matrices(make(model, small.train, text, image, graph=graph, to="scipy")).items():
            if not name.startswith("user"):
                assert dense(matrix)[5].sum() == 0
                assert dense(matrix)[:, 5].sum() == 0


@pytest.mark.parametrize("model", ALL)
def test_no_items_are_no_edges(model):
    train = graft.Interactions.from_pairs([], [], users=2, items=0)
    nothing = np.zeros((0, 3), dtype=np.float32)
    for graph in ("vanilla", "refined"):
        for matrix in matrices(make(model, train, nothing, nothing, graph=graph, to="scipy")).values():
            assert matrix.nnz == 0


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"graph": "better"}, "graph = 'better': must be one of 'vanilla', 'refined'"),
        ({"to": "numpy"}, "to = 'numpy': must be one of 'torch', 'scipy', 'graft'"),
        ({"k": 0}, "k = 0: must be >= 1"),
        ({"epsilon": -1.0}, "epsilon = -1.0: must lie in"),
        ({"epsilon": float("nan")}, "epsilon = nan: must lie in"),
        ({"threshold": 1.5}, r"threshold = 1.5: must lie in \[-1, 1\]"),
        ({"image_threshold": float("nan")}, "image_threshold = nan: must lie in"),
        ({"graph": "refined", "jaccard_k": -1}, "jaccard_k = -1: must be >= 0"),
        ({"graph": "refined", "preset": "best"}, "preset = 'best'"),
        ({"graph": "refined", "weights": "none"}, "weights = 'none'"),
    ],
)
def test_misuse_is_refused_by_name(shop, model, options, message):
    with pytest.raises(graft.InvalidArgument, match=message):
        make(model, shop.train, shop.features, shop.features, **{"to": "scipy", **options})


def test_what_does_not_fit_is_refused_by_name(shop):
    x = shop.features
    with pytest.raises(graft.InvalidArgument, match="recipes.freedom: text, image: none given"):
        recipes.freedom(shop.train, to="scipy")
    with pytest.raises(graft.InvalidArgument, match="image: 9 rows: must be as many as .* items, 200"):
        recipes.freedom(shop.train, text=x, image=x[:9], to="scipy")
    with pytest.raises(graft.InvalidArgument, match="text: 5 rows"):
        recipes.lattice(shop.train, text=graft.Graph(5), to="scipy")
    with pytest.raises(graft.InvalidArgument, match=r"image_weight = 1.1: must lie in \[0, 1\]"):
        recipes.freedom(shop.train, text=x, image=x, image_weight=1.1, to="scipy")
    with pytest.raises(graft.InvalidArgument, match="placement = 'before': must be one of"):
        recipes.freedom(shop.train, text=x, placement="before", to="scipy")
    with pytest.raises(graft.InvalidArgument, match="recipes.smore: image: not given"):
        recipes.smore(shop.train, text=x, image=None, to="scipy")
    with pytest.raises(graft.InvalidArgument, match="recipes.smore: image_k = 0: must be >= 1"):
        recipes.smore(shop.train, text=x, image=x, image_k=0, to="scipy")
    with pytest.raises(graft.InvalidArgument, match="shared = 'all': must be one of"):
        recipes.gume(shop.train, text=x, image=x, shared="all", to="scipy")
    with pytest.raises(graft.InvalidArgument, match="text: ready neighbours: must be features.*interest_k=0"):
        recipes.soil(shop.train, text=shop.graph, image=x, to="scipy")
    with pytest.raises(graft.InvalidArgument, match="interest_k = -1: must be >= 0"):
        recipes.soil(shop.train, text=x, image=x, interest_k=-1, to="scipy")
    with pytest.raises(TypeError, match="recipes.gume: text: dtype int64"):
        recipes.gume(shop.train, text=np.zeros((200, 2), dtype=np.int64), image=x, to="scipy")
    with pytest.raises(TypeError, match="recipes.freedom: threshold = 'a': must be a float"):
        recipes.freedom(shop.train, text=x, threshold="a", to="scipy")
    with pytest.raises(TypeError, match="recipes.freedom: interactions: "):
        recipes.freedom(np.eye(3), text=x, to="scipy")


PEAK = """
import numpy as np, graft
random = np.random.default_rng(0)
x = random.standard_normal((20000, 8), dtype=np.float32)
train = graft.Interactions.from_pairs(*random.integers(0, 20000, (2, 60000)), users=20000, items=20000)
options = dict(text=x, image=x[:, ::-1].copy(), graph="refined", threshold=0.5, to="graft")
before = peak()
for model in ("freedom", "lattice", "mgcn", "smore", "gume", "soil"):
    getattr(graft.recipes, model)(train, **options)
print(peak() - before)
"""


def test_nothing_of_items_by_items_is_held():
    (growth,) = run(PEAK)
    assert growth < 400 * MEBIBYTE  # bits, not even floats, of 20,000 x 20,000 would be 48; floats are 1526


def test_the_example_trains_both_models(torch):
    script = REPOSITORY / "examples" / "python" / "freedom_style.py"
    done = subprocess.run([sys.executable, str(script), "--epochs", "2"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    recall = {line.split()[0]: float(line.split()[-1]) for line in done.stdout.splitlines() if "Recall@20" in line}
    assert recall.keys() == {"vanilla", "refined"}
    assert all(0 < value < 1 for value in recall.values())
    assert recall["vanilla"] != recall["refined"]


def test_the_example_says_that_it_needs_torch():
    """With a torch that cannot be imported, it ends with a sentence and no traceback."""
    script = REPOSITORY / "examples" / "python" / "freedom_style.py"
    code = f"import runpy, sys; sys.modules['torch'] = None; runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("This example needs PyTorch: pip install torch")
    assert "Traceback" not in done.stderr
