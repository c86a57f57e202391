"""The item-item matrices that published multimodal recommenders hold, ready to be dropped into their code.

One function a model. Each takes the training interactions and the item content, and returns what the model's code
keeps as its frozen item-item adjacency, with the model's own selection, normalisation and modality mix. With
`graph="refined"` the same slot holds the refined graph (MLLMRec, Eq. 7-11) in the model's normalisation: one word
changes, the rest of the model stays as it is.

Vanilla, a modality m has a KNN graph of k places a row, of which the item itself takes the first; normalised,
A_ab = W_ab / sqrt(d_a d_b) with d the row sums on both sides. Refined, W is S~_m + C~: the k nearest of cosine >=
alpha, and the jaccard_k items of the most similar audience. A row is the item that receives: products are
adjacency @ items.

Arguments that all recipes have:

- interactions: TRAINING rows: graft.Interactions, or a users x items SciPy matrix.
- text, image: raw features [items, dims] as for `graft.knn_graph`; or ready neighbours: a similarity graph with cosine
  weights (graft.Graph or SciPy), whose diagonal need not be there.
- k: places of a row of the KNN graph, that of the item itself included; >= 1.
- epsilon: added to row sums before normalisation; >= 0.
- graph: "vanilla" or "refined". The arguments from here to `enhancement_weight` play no part in a vanilla graph.
- threshold: alpha, inclusive, in [-1, 1]; -1 prunes nothing. The image's is `image_threshold` where that is given:
  cosines of image features are distributed differently, so look at `graft.inspect` before choosing.
- jaccard_k: items by audience a row; 0 adds none.
- min_support: users that an edge by audience needs in common, >= 1; 2 keeps none that hangs on one user.
- preset: what the diagonal does, as in `graft.refine`; "reference" keeps self loops, as the models do.
- weights: of the similarity edges that stay: "binary", or "similarity" (their cosine).
- normalize_parts: normalises S~ and C~ apart and adds them then, as in `graft.refine`.
- enhancement_weight: factor of C~, >= 0.
- to: "torch": coalesced float32 sparse COO tensors; "scipy": csr_array; "graft": graft.Graph.
- context: threads, memory budget, progress, cancellation.

They raise ImportError (to="torch" without PyTorch), InvalidArgument (names the argument), and what `graft.refine`
raises. Nothing of items x items is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from graft import _recipe
from graft._algebra import add, normalize
from graft._context import Context
from graft._interest import interest_graphs
from graft._recipe import Content, GraphKind, Library, Recipe, Refinement, Source
from graft._recipe_graphs import bipartite, common, floored, larger
from graft._types import InteractionsLike, Preset, Weights
from graft.errors import InvalidArgument

__all__ = ["GumeGraphs", "ModalityGraphs", "SmoreGraphs", "freedom", "gume", "lattice", "mgcn", "smore", "soil"]

# torch.Tensor, scipy.sparse.csr_array or graft.Graph, as the argument `to` says.
Adjacency: TypeAlias = Any
# The least weight that SOIL's normalisation stores.
SOIL_FLOOR = 1e-7


@dataclass(frozen=True, eq=False)
class ModalityGraphs:
    """An adjacency [items, items] a modality; None for one that was not given."""

    text: Adjacency
    image: Adjacency


@dataclass(frozen=True, eq=False)
class SmoreGraphs:
    """SMORE's three views, each [items, items]."""

    text: Adjacency
    image: Adjacency
    fusion: Adjacency


@dataclass(frozen=True, eq=False)
class GumeGraphs:
    """GUME's matrices.

    Attributes:
        text: A_t [items, items].
        image: A_v [items, items].
        shared: P [items, items], binary: neighbours by both modalities.
        user_item: [users + items, users + items], users first: the user-item graph augmented by P, normalised.
        user_item_block: its users x items block (a csr_array with to="graft", whose graphs are square).
    """

    text: Adjacency
    image: Adjacency
    shared: Adjacency
    user_item: Adjacency
    user_item_block: Adjacency


def freedom(
    interactions: InteractionsLike,
    *,
    text: Content | None = None,
    image: Content | None = None,
    k: int = 10,
    image_weight: float = 0.1,
    epsilon: float = 1e-7,
    graph: GraphKind = "vanilla",
    placement: Literal["per_modality", "after_mix"] = "per_modality",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> Adjacency:
    """FREEDOM's frozen item graph M, the attribute `mm_adj`; also that of LIRDRec.

    Vanilla: M = w M_image + (1 - w) M_text, M_m the binary KNN graph, d_a = epsilon + row sum. As every row has k ones,
    M_m averages over the item and its k - 1 neighbours: values 1 / (k + epsilon).

    Refined, per modality: M_m = D^-1/2 (S~_m + C~) D^-1/2, mixed by w. Refined after the mix: W = w S~_image +
    (1 - w) S~_text + C~, normalised once.

    Zhou and Shen, A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal Recommendation (2023).

    Args:
        interactions: TRAINING rows; see the module for this and what is not told here.
        text: features or ready neighbours; with one modality M is that one's.
        image: as `text`.
        k: `knn_k` of the model.
        image_weight: w, in [0, 1]; `mm_image_weight` of the model. A modality of weight 0 is left out.
        epsilon: the model's 1e-7.
        graph: "vanilla" or "refined".
        placement: "per_modality" (each graph is refined and normalised, then mixed) or "after_mix" (C~ is added once to
            the mix, which is then normalised).
        threshold: alpha.
        image_threshold: alpha of the image graph; None: `threshold`.
        jaccard_k: K_c.
        min_support: common users that an edge of C~ needs.
        preset: of the refinement.
        weights: of the refined similarity edges.
        normalize_parts: whether S~ and C~ are normalised apart.
        enhancement_weight: factor of C~.
        to: "torch", "scipy" or "graft".
        context: how it runs.

    Returns:
        [items, items].

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 0, 1, 1, 2, 3], [0, 1, 1, 2, 2, 0])
    >>> text = np.array([[2, 0, 0], [4, 3, 0], [0, 3, 4]], dtype=np.float32)
    >>> graft.recipes.freedom(train, text=text, k=2, to="scipy").toarray().round(3)
    array([[0.5, 0.5, 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0.5, 0.5]], dtype=float32)
    >>> graft.recipes.freedom(train, text=text, k=2, graph="refined", threshold=0.7, to="scipy").toarray().round(3)
    array([[0.429, 0.535, 0.   ],
           [0.535, 0.375, 0.177],
           [0.   , 0.177, 0.75 ]], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("freedom", interactions, "binary", epsilon, refinement, to, context)
    _recipe.check_choice(recipe.operation, "placement", placement, ("per_modality", "after_mix"))
    given = recipe.sources(
        text, image, k=k, threshold=threshold, image_threshold=image_threshold, image_weight=image_weight
    )
    sources = [source for source in given if source is not None and source.share > 0]
    after_mix = recipe.refined and placement == "after_mix"
    return recipe.hand_over(recipe.graph(*sources) if after_mix else recipe.mixed(sources))


def lattice(
    interactions: InteractionsLike,
    *,
    text: Content | None = None,
    image: Content | None = None,
    k: int = 10,
    epsilon: float = 0.0,
    graph: GraphKind = "vanilla",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> ModalityGraphs:
    """LATTICE's constant graphs O_m, the attributes `text_original_adj` and `image_original_adj`; also MICRO's priors.

    Vanilla: the KNN graph with its cosines as weights, normalised without epsilon. The model mixes them by its
    current modality weights and adds them, times `lambda_coeff`, to the graph that it learns, which stays its own.
    (The model's code holds them dense: `.to_dense()` where it needs that, or multiply sparse.)

    Refined: O_m = D^-1/2 (S~_m + C~) D^-1/2.

    Zhang et al., Mining Latent Structures for Multimedia Recommendation (2021).

    Args:
        interactions: TRAINING rows; see the module for this and what is not told here.
        text: features or ready neighbours.
        image: as `text`.
        k: `knn_k` of the model.
        epsilon: the model has none.
        graph: "vanilla" or "refined".
        threshold: alpha.
        image_threshold: alpha of the image graph; None: `threshold`.
        jaccard_k: K_c.
        min_support: common users that an edge of C~ needs.
        preset: of the refinement.
        weights: of the refined similarity edges.
        normalize_parts: whether S~ and C~ are normalised apart.
        enhancement_weight: factor of C~.
        to: "torch", "scipy" or "graft".
        context: how it runs.

    Returns:
        A graph a modality.

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 0, 1, 1, 2], [0, 1, 1, 2, 2])
    >>> text = np.array([[2, 0, 0], [4, 3, 0], [0, 3, 4]], dtype=np.float32)
    >>> graft.recipes.lattice(train, text=text, k=2, to="scipy").text.toarray().round(3)
    array([[0.556, 0.444, 0.   ],
           [0.444, 0.556, 0.   ],
           [0.   , 0.23 , 0.735]], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("lattice", interactions, "similarity", epsilon, refinement, to, context)
    return _each(recipe, recipe.sources(text, image, k=k, threshold=threshold, image_threshold=image_threshold))


def mgcn(
    interactions: InteractionsLike,
    *,
    text: Content | None = None,
    image: Content | None = None,
    k: int = 10,
    epsilon: float = 0.0,
    graph: GraphKind = "vanilla",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> ModalityGraphs:
    """MGCN's item graphs A_m, the attributes `text_original_adj` and `image_original_adj`.

    Vanilla: the KNN graph with its cosines as weights, normalised without epsilon. Refined:
    A_m = D^-1/2 (S~_m + C~) D^-1/2. Every argument is as for `lattice`, whose graphs these are.

    Yu et al., Multi-View Graph Convolutional Network for Multimedia Recommendation (2023).

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 1], [0, 1])
    >>> graft.recipes.mgcn(train, image=np.eye(2, dtype="f4"), k=1, to="graft").image.data
    array([1., 1.], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("mgcn", interactions, "similarity", epsilon, refinement, to, context)
    return _each(recipe, recipe.sources(text, image, k=k, threshold=threshold, image_threshold=image_threshold))


def smore(
    interactions: InteractionsLike,
    *,
    text: Content,
    image: Content,
    k: int = 10,
    image_k: int | None = None,
    epsilon: float = 0.0,
    graph: GraphKind = "vanilla",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> SmoreGraphs:
    """SMORE's three views, the attributes `text_original_adj`, `image_original_adj` and `fusion_adj`.

    Vanilla: A_m, the KNN graph with its cosines as weights, normalised without epsilon. The fusion view holds the edges
    of both, with the larger of the two normalised weights (the only one of an edge that one modality has); it is not
    normalised again.

    Refined: A_m = D^-1/2 (S~_m + C~) D^-1/2; the fusion view is made of these by the same rule, so that the edges by
    audience are in all three.

    Ong and Khong, Spectrum-based Modality Representation Fusion Graph Convolutional Network for Multimodal
    Recommendation (2025).

    Args:
        interactions: TRAINING rows; see the module for this and what is not told here.
        text: features or ready neighbours.
        image: as `text`; the model needs both.
        k: `knn_k` of the text graph.
        image_k: that of the image graph; None: `k`. The authors' best are 15 and 40 on Baby, 10 and 10 on Sports, 10
            and 40 on Clothing.
        epsilon: the model has none.
        graph: "vanilla" or "refined".
        threshold: alpha.
        image_threshold: alpha of the image graph; None: `threshold`.
        jaccard_k: K_c.
        min_support: common users that an edge of C~ needs.
        preset: of the refinement.
        weights: of the refined similarity edges.
        normalize_parts: whether S~ and C~ are normalised apart.
        enhancement_weight: factor of C~.
        to: "torch", "scipy" or "graft".
        context: how it runs.

    Returns:
        The three views.

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 1], [0, 1])
    >>> x, y = np.eye(2, dtype="f4"), np.ones((2, 2), dtype="f4")
    >>> graft.recipes.smore(train, text=x, image=y, k=2, to="scipy").fusion.toarray().round(3)
    array([[1. , 0.5],
           [0.5, 1. ]], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("smore", interactions, "similarity", epsilon, refinement, to, context)
    given = recipe.sources(text, image, k=k, image_k=image_k, threshold=threshold, image_threshold=image_threshold)
    words, picture = map(recipe.graph, recipe.both(*given))
    return SmoreGraphs(*map(recipe.hand_over, (words, picture, larger(words, picture))))


def gume(
    interactions: InteractionsLike,
    *,
    text: Content,
    image: Content,
    k: int = 10,
    epsilon: float = 0.0,
    graph: GraphKind = "vanilla",
    shared: Literal["vanilla", "denoised", "refined"] = "vanilla",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> GumeGraphs:
    """GUME's item graphs (`text_original_adj`, `image_original_adj`) and its augmented user-item graph.

    Vanilla: A_m, the KNN graph with its cosines as weights, normalised without epsilon. P_ij = 1 where j is a neighbour
    of i by both modalities, j != i; the user-item graph is [[0, R], [R^T, P]], normalised by its row sums.

    Refined: A_m = D^-1/2 (S~_m + C~) D^-1/2, and P as `shared` says.

    Lin et al., GUME: Graphs and User Modalities Enhancement for Long-Tail Multimodal Recommendation (2024).

    Args:
        interactions: TRAINING rows; see the module for this and what is not told here.
        text: features or ready neighbours.
        image: as `text`; the model needs both.
        k: `knn_k` of the model.
        epsilon: of the item graphs; the model has none.
        graph: "vanilla" or "refined".
        shared: the neighbours that P of a refined graph compares: "vanilla" (the user-item graph stays as it is),
            "denoised" (those above alpha), "refined" (and all that audiences add).
        threshold: alpha.
        image_threshold: alpha of the image graph; None: `threshold`.
        jaccard_k: K_c.
        min_support: common users that an edge of C~ needs.
        preset: of the refinement.
        weights: of the refined similarity edges.
        normalize_parts: whether S~ and C~ are normalised apart.
        enhancement_weight: factor of C~.
        to: "torch", "scipy" or "graft".
        context: how it runs.

    Returns:
        The item graphs and the user-item graph.

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 1], [0, 1])
    >>> x = np.ones((2, 2), dtype="f4")
    >>> graft.recipes.gume(train, text=x, image=x, k=2, to="scipy").user_item.toarray().round(3)
    array([[0.   , 0.   , 0.707, 0.   ],
           [0.   , 0.   , 0.   , 0.707],
           [0.707, 0.   , 0.   , 0.5  ],
           [0.   , 0.707, 0.5  , 0.   ]], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("gume", interactions, "similarity", epsilon, refinement, to, context)
    _recipe.check_choice(recipe.operation, "shared", shared, ("vanilla", "denoised", "refined"))
    given = recipe.sources(text, image, k=k, threshold=threshold, image_threshold=image_threshold)
    sources = recipe.both(*given)
    words, picture = map(recipe.graph, sources)
    sets = [words, picture]
    if recipe.refined and shared != "refined":
        sets = [recipe.neighbours(source, pruned=shared == "denoised") for source in sources]
    neighbours = common(*sets)
    user_item = normalize(bipartite(recipe.interactions, neighbours), context=context)
    users = recipe.interactions.users
    block = user_item.to_scipy()[:users, users:]
    return GumeGraphs(*(recipe.hand_over(matrix) for matrix in (words, picture, neighbours, user_item, block)))


def soil(
    interactions: InteractionsLike,
    *,
    text: Content,
    image: Content,
    k: int = 10,
    interest_k: int = 10,
    epsilon: float = 0.0,
    graph: GraphKind = "vanilla",
    threshold: float = 0.5,
    image_threshold: float | None = None,
    jaccard_k: int = 10,
    min_support: int = 1,
    preset: Preset = "reference",
    weights: Weights = "binary",
    normalize_parts: bool = False,
    enhancement_weight: float = 1.0,
    to: Library = "torch",
    context: Context | None = None,
) -> ModalityGraphs:
    """SOIL's item graphs Q_m = I_m + K_m: what a user's items make interesting, and what is similar.

    K_m, vanilla: the KNN graph with its cosines as weights. I_m: C_u is the union over both modalities of the
    `interest_k` items b with the largest sum over the user's items a of S_m[a, b]; I_m[a, b] = S_m[a, b] times the
    number of users who have a and for whom b is in C_u. Both are normalised without epsilon, with stored weights of at
    least 1e-7, then added; the sum is not normalised again. (The model's second-order user-item graph is not an
    item-item graph, and not made here.)

    Refined: K_m = D^-1/2 (S~_m + C~) D^-1/2; I_m is the same.

    Su et al., SOIL: Contrastive Second-Order Interest Learning for Multimodal Recommendation (2024).

    Args:
        interactions: TRAINING rows; see the module for this and what is not told here.
        text: features; or ready neighbours where interest_k is 0: I_m needs the similarity of any two items.
        image: as `text`; the model needs both.
        k: `knn_k` of the model.
        interest_k: `knn_i` of the model (10 on Baby, 5 on Sports and Clothing); 0: Q_m = K_m.
        epsilon: of K_m; the model has none.
        graph: "vanilla" or "refined".
        threshold: alpha.
        image_threshold: alpha of the image graph; None: `threshold`.
        jaccard_k: K_c.
        min_support: common users that an edge of C~ needs.
        preset: of the refinement.
        weights: of the refined similarity edges.
        normalize_parts: whether S~ and C~ are normalised apart.
        enhancement_weight: factor of C~.
        to: "torch", "scipy" or "graft".
        context: how it runs.

    Returns:
        Q_text and Q_image.

    >>> import graft, numpy as np
    >>> train = graft.Interactions.from_pairs([0, 1], [0, 1])
    >>> x = np.eye(2, dtype="f4")
    >>> graft.recipes.soil(train, text=x, image=x, k=1, interest_k=1, to="graft").text.data
    array([2., 2.], dtype=float32)
    """
    refinement = Refinement(graph, jaccard_k, min_support, preset, weights, normalize_parts, enhancement_weight)
    recipe = Recipe("soil", interactions, "similarity", epsilon, refinement, to, context)
    given = recipe.sources(text, image, k=k, threshold=threshold, image_threshold=image_threshold)
    sources = recipe.both(*given)
    features = _interest_features(recipe, sources, interest_k)
    graphs = [floored(recipe.graph(source), SOIL_FLOOR) for source in sources]
    if interest_k > 0:
        interest = interest_graphs(recipe.interactions, features, interest_k, context)
        parts = [floored(normalize(part, context=context), SOIL_FLOOR) for part in interest]
        graphs = [add(part, similar, context=context) for part, similar in zip(parts, graphs)]
    return ModalityGraphs(*map(recipe.hand_over, graphs))


def _each(recipe: Recipe, sources: tuple[Source | None, Source | None]) -> ModalityGraphs:
    """The graph of each modality by itself."""
    made = [None if source is None else recipe.hand_over(recipe.graph(source)) for source in sources]
    return ModalityGraphs(*made)


def _interest_features(recipe: Recipe, sources: tuple[Source, Source], interest_k: int) -> list[Any]:
    """The raw features of both modalities; refuses ready neighbours where the interest graphs are made."""
    if interest_k < 0:
        raise InvalidArgument(f"{recipe.operation}: interest_k = {interest_k}: must be >= 0; 0 makes no interest graph")
    for name, source in zip(("text", "image"), sources):
        if interest_k > 0 and _recipe.is_graph(source.content):
            raise InvalidArgument(
                f"{recipe.operation}: {name}: ready neighbours: must be features: interest graphs need the similarity "
                "of any two items; interest_k=0 leaves them out"
            )
    return [source.content for source in sources]
