"""Types of arguments and results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from graft._core import Graph, Interactions

Backend: TypeAlias = Literal["cpu", "cuda", "auto"]
NumericPath: TypeAlias = Literal["automatic", "baseline", "avx2", "avx512"]
Metric: TypeAlias = Literal["cosine", "dot", "l2"]
Weights: TypeAlias = Literal["similarity", "binary"]
Self: TypeAlias = Literal["drop", "keep"]
Identical: TypeAlias = Literal["keep", "drop", "reference"]
AudienceMeasure: TypeAlias = Literal["jaccard", "cosine", "overlap", "pmi", "log_likelihood"]
Symmetrization: TypeAlias = Literal["max", "mean", "min"]
Normalization: TypeAlias = Literal["symmetric", "row", "none"]
Aggregation: TypeAlias = Literal["sum", "mean"]
Preset: TypeAlias = Literal["noself", "reference", "paper"]
Split: TypeAlias = Literal["train", "valid", "test", "all"]
Unsorted: TypeAlias = Literal["refuse", "sort_and_sum"]
ItemGraph: TypeAlias = Literal["vanilla", "refined"]
UserHistory: TypeAlias = Literal["train", "unknown", "all"]
RowRange: TypeAlias = tuple[int, int]
ProgressCallback: TypeAlias = Callable[[str, int, int], object]


class SupportsDLPack(Protocol):
    """An array of another library, e.g. a torch tensor."""

    def __dlpack__(self) -> Any: ...

    def __dlpack_device__(self) -> tuple[Any, int]: ...


class SparseMatrix(Protocol):
    """A SciPy sparse matrix or array of any format."""

    @property
    def shape(self) -> Any: ...

    def tocsr(self) -> Any: ...


MatrixLike: TypeAlias = "npt.ArrayLike | SupportsDLPack"
GraphLike: TypeAlias = "Graph | SparseMatrix"
InteractionsLike: TypeAlias = "Interactions | SparseMatrix"


class Plan(NamedTuple):
    """Cost of a call, known from shapes and options alone."""

    workspace_bytes: int
    """peak beyond inputs and outputs; at most the memory budget"""
    output_bytes: int
    """upper bound of the result"""
    flops: float
    """floating-point (or counting) operations"""
    tiles: int
    """independent pieces of work"""


@dataclass(frozen=True)
class Modality:
    """One source of item similarity for `refine`: raw features, or a ready similarity graph (exactly one of the two).

    Attributes:
        features: [items, dims].
        similarity: ready cosines, e.g. published neighbours. The diagonal need not be there.
        weight: share in the sum, >= 0; the weights are scaled so that all sum to 1; 0 leaves the modality out.
        threshold: alpha of this modality; that of `refine` where it is None.
    """

    features: MatrixLike | None = None
    similarity: GraphLike | None = None
    weight: float = 1.0
    threshold: float | None = None


@dataclass(frozen=True)
class RefineSummary:
    """What `refine` did; directed edges are counted.

    Attributes:
        similarity_edges_before: top-K edges, self loops left out, summed over modalities.
        similarity_edges_after: those that the threshold left.
        similarity_edges: stored edges of the (mixed) denoised graph, self loops included.
        jaccard_edges: stored edges of the enhancement graph.
        edges: of the result.
        self_loops: of the result.
        isolated_items: items of the result without an edge in or out, self loops left out.
    """

    similarity_edges_before: int
    similarity_edges_after: int
    similarity_edges: int
    jaccard_edges: int
    edges: int
    self_loops: int
    isolated_items: int


EdgeRule: TypeAlias = Literal[
    "kept",
    "switched_off",
    "self_dropped",
    "zero_norm",
    "no_common_audience",
    "identical_dropped",
    "below_rank",
    "below_threshold",
    "below_support",
]


@dataclass(frozen=True)
class Explanation:
    """Facts about the directed pair i <- j: row i receives from column j.

    Attributes:
        cosine: 0 where a row of features is zero; exactly 1 for i = j.
        cosine_rank: place of j in row i, 1 = first; 0 if it has none.
        similarity_rule: the rule that decided in the similarity graph.
        degree_i: users of i.
        degree_j: users of j.
        common_audience: users of both.
        jaccard: weight the pair has, or would have, in the enhancement graph.
        jaccard_rank: place of j in row i, 1 = first; 0 if it has none, as below min_support.
        audience_rule: the rule that decided in the enhancement graph.
        weight: W_ij before normalisation.
    """

    cosine: float
    cosine_rank: int
    similarity_rule: EdgeRule
    degree_i: int
    degree_j: int
    common_audience: int
    jaccard: float
    jaccard_rank: int
    audience_rule: EdgeRule
    weight: float


@dataclass(frozen=True, eq=False)
class Ranking:
    """Ranked ids a query, by score descending, then id ascending. Rows may hold fewer than k; nothing is padded.

    Attributes:
        row_offsets: int64 [queries + 1].
        ids: int32; row q is ids[row_offsets[q]:row_offsets[q + 1]].
        scores: float32, one an id.
    """

    row_offsets: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Queries."""
        return len(self.row_offsets) - 1

    def row_ids(self, query: int) -> npt.NDArray[np.int32]:
        """The ids of a query, best first."""
        return self.ids[self.row_offsets[query] : self.row_offsets[query + 1]]

    def row_scores(self, query: int) -> npt.NDArray[np.float32]:
        """The scores of a query, largest first."""
        return self.scores[self.row_offsets[query] : self.row_offsets[query + 1]]


@dataclass(frozen=True)
class EpochReport:
    """What an epoch of training came to.

    Attributes:
        epoch: 0-based.
        loss: mean over the batches.
        learning_rate: of the epoch.
        valid: metrics on the validation rows, e.g. valid["recall@20"]; empty where the epoch was not evaluated.
        test: the same on the test rows; nothing is chosen by it.
        best: whether this epoch's weights are the best so far.
        train_seconds: of its batches.
        evaluation_seconds: of its evaluation.
    """

    epoch: int
    loss: float
    learning_rate: float
    valid: dict[str, float]
    test: dict[str, float]
    best: bool
    train_seconds: float
    evaluation_seconds: float


class SettingInfo(NamedTuple):
    """A setting of a model, or of the trainer."""

    name: str
    """key of `settings`"""
    default_value: str
    """as text"""
    description: str
    """one line"""


class ModelInfo(NamedTuple):
    """A model that `train` knows."""

    name: str
    """what `train` calls it"""
    description: str
    """one line, with the paper"""
    settings: tuple[SettingInfo, ...]
    """those of the trainer included"""


@dataclass(frozen=True, eq=False)
class InterTable:
    """Rows of a .inter file in the file's order, all splits.

    Attributes:
        users: int32, a userID a row.
        items: int32, an itemID a row.
        labels: int8 x_label: 0 train, 1 valid, 2 test.
        has_labels: whether the file has x_label; without it every row is train.
        user_count: largest userID + 1, over all splits.
        item_count: largest itemID + 1, over all splits.
        notices: things a person should know and no error.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int8]
    has_labels: bool
    user_count: int
    item_count: int
    notices: tuple[str, ...]
