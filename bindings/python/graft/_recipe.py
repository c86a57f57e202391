"""What the recipes share: arguments checked once, modality graphs by `refine`, results in the caller's library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from graft import _inputs, torch
from graft._algebra import mix
from graft._context import Context
from graft._core import Graph, Interactions
from graft._operators import refine
from graft._types import GraphLike, InteractionsLike, MatrixLike, Modality, Normalization, Preset, Weights
from graft.errors import InvalidArgument

if TYPE_CHECKING:
    from scipy.sparse import csr_array

GraphKind: TypeAlias = Literal["vanilla", "refined"]
Library: TypeAlias = Literal["torch", "scipy", "graft"]
# Raw features, or a ready similarity graph.
Content: TypeAlias = "MatrixLike | GraphLike"
# Exact neighbours of the host: nothing is pruned.
KEEP_ALL = -1.0


def check_choice(operation: str, name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuses a value that is none of the names."""
    if not (isinstance(value, str) and value in allowed):
        names = ", ".join(map(repr, allowed))
        raise InvalidArgument(f"{operation}: {name} = {value!r}: must be one of {names}")


def check_number(operation: str, name: str, value: object, low: float, high: float) -> float:
    """A number in [low, high]."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{operation}: {name} = {value!r}: must be a float") from None
    if not low <= number <= high:  # NaN too
        raise InvalidArgument(f"{operation}: {name} = {value!r}: must lie in [{low:g}, {high:g}]")
    return number


def is_graph(content: Content) -> bool:
    """Whether it is a ready similarity graph."""
    return isinstance(content, Graph) or _inputs._is_sparse(content)


@dataclass(frozen=True)
class Refinement:
    """Which graph, and what refines it."""

    graph: GraphKind
    jaccard_k: int
    min_support: int
    preset: Preset
    weights: Weights
    normalize_parts: bool
    enhancement_weight: float


@dataclass(frozen=True)
class Source:
    """One modality of a recipe."""

    content: Content
    k: int
    threshold: float
    share: float = 1.0

    def modality(self, refined: bool) -> Modality:
        """As `refine` takes it."""
        threshold = self.threshold if refined else KEEP_ALL
        if is_graph(self.content):
            return Modality(similarity=self.content, weight=self.share, threshold=threshold)  # type: ignore[arg-type]
        return Modality(features=self.content, weight=self.share, threshold=threshold)  # type: ignore[arg-type]


class Recipe:
    """Arguments that every recipe has, checked; makes the graphs of modalities.

    Attributes:
        operation: for messages.
        interactions: the training rows.
        refined: whether the graphs are refined.
        context: how calls run.
    """

    def __init__(
        self,
        model: str,
        interactions: InteractionsLike,
        host_weights: Weights,
        epsilon: float,
        refinement: Refinement,
        to: Library,
        context: Context | None,
    ) -> None:
        self.operation = f"recipes.{model}"
        check_choice(self.operation, "graph", refinement.graph, ("vanilla", "refined"))
        check_choice(self.operation, "to", to, ("torch", "scipy", "graft"))
        if to == "torch":
            torch._torch(self.operation)  # before the work
        self.interactions: Interactions = _inputs.interactions(self.operation, interactions)
        self.refined = refinement.graph == "refined"
        self.context = context
        self._host_weights: Weights = host_weights
        self._epsilon = check_number(self.operation, "epsilon", epsilon, 0.0, math.inf)
        self._refinement = refinement
        self._to = to

    def _source(
        self, name: str, content: Content, k: tuple[str, int], threshold: tuple[str, float], share: float
    ) -> Source:
        """A checked modality; k and threshold come with the names of their arguments."""
        if not is_graph(content):
            content = _inputs.matrix(self.operation, name, content)  # type: ignore[arg-type]
        size = content.shape[0]  # type: ignore[union-attr]
        if size != self.interactions.items:
            raise InvalidArgument(
                f"{self.operation}: {name}: {size} rows: must be as many as the interactions have items, "
                f"{self.interactions.items}"
            )
        if _inputs._integer(self.operation, *k) < 1:
            raise InvalidArgument(f"{self.operation}: {k[0]} = {k[1]}: must be >= 1")
        return Source(content, k[1], check_number(self.operation, *threshold, -1.0, 1.0), share)

    def sources(
        self,
        text: Content | None,
        image: Content | None,
        *,
        k: int,
        threshold: float,
        image_threshold: float | None,
        image_k: int | None = None,
        image_weight: float = 0.5,
    ) -> tuple[Source | None, Source | None]:
        """Text and image, where they are given; one alone has the whole share."""
        if text is None and image is None:
            raise InvalidArgument(f"{self.operation}: text, image: none given: at least one is needed")
        weight = check_number(self.operation, "image_weight", image_weight, 0.0, 1.0)
        text_k, text_alpha = ("k", k), ("threshold", threshold)
        image_places = text_k if image_k is None else ("image_k", image_k)
        image_alpha = text_alpha if image_threshold is None else ("image_threshold", image_threshold)
        words = picture = None
        if text is not None:
            words = self._source("text", text, text_k, text_alpha, 1.0 if image is None else 1.0 - weight)
        if image is not None:
            picture = self._source("image", image, image_places, image_alpha, 1.0 if text is None else weight)
        return words, picture

    def both(self, text: Source | None, image: Source | None) -> tuple[Source, Source]:
        """Of a model that cannot do with one."""
        if text is None or image is None:
            missing = "text" if text is None else "image"
            raise InvalidArgument(f"{self.operation}: {missing}: not given: the model needs text and image")
        return text, image

    def graph(self, *sources: Source) -> Graph:
        """The graph of one modality, or of several mixed by their shares and enhanced once; normalised."""
        weights = self._refinement.weights if self.refined else self._host_weights
        return self._made(sources, weights, "symmetric", pruned=self.refined, enhanced=self.refined)

    def neighbours(self, source: Source, *, pruned: bool) -> Graph:
        """The edges by similarity alone, of the host or as the refinement leaves them; not normalised."""
        return self._made([source], "binary", "none", pruned=pruned, enhanced=False)

    def _made(
        self, sources: Sequence[Source], weights: Weights, normalization: Normalization, *, pruned: bool, enhanced: bool
    ) -> Graph:
        """By `refine`. What is not pruned is the host's: self takes the first of its k places."""
        return refine(
            [source.modality(pruned) for source in sources],
            self.interactions,
            knn_k=sources[0].k,
            jaccard_k=self._refinement.jaccard_k if enhanced else 0,
            min_support=self._refinement.min_support,
            preset=self._refinement.preset if pruned else "reference",
            weights=weights,
            normalization=normalization,
            epsilon=self._epsilon,
            normalize_parts=self._refinement.normalize_parts,
            enhancement_weight=self._refinement.enhancement_weight,
            context=self.context,
        )

    def mixed(self, sources: Sequence[Source]) -> Graph:
        """The modalities' graphs, each normalised, then mixed by their shares."""
        graphs = [self.graph(source) for source in sources]
        if len(graphs) == 1:
            return graphs[0]
        return mix(graphs, [source.share for source in sources], context=self.context)

    def hand_over(self, matrix: Graph | csr_array[Any, Any]) -> Any:
        """The matrix in the library that the caller asked for; one that is not square stays SciPy's for "graft"."""
        if isinstance(matrix, Graph):
            if self._to == "torch":
                return torch.sparse(matrix)
            return matrix.to_scipy() if self._to == "scipy" else matrix
        if self._to != "torch":
            return matrix
        library = torch._torch(self.operation)
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        indices = library.from_numpy(np.stack([rows, matrix.indices.astype(np.int64)]))
        values = library.from_numpy(matrix.data)
        return library.sparse_coo_tensor(indices, values, matrix.shape, is_coalesced=True, check_invariants=False)
