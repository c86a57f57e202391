"""graft: refinement of the item-item graph of multimodal recommenders.

Threshold-controlled KNN denoising and topology-aware Jaccard enhancement (MLLMRec), the graph algebra around them, and
a trainer that measures what a graph does for a recommender: `train`, `Run`, `evaluate`.

>>> import graft, numpy as np
>>> x = np.random.default_rng(0).standard_normal((100, 16), dtype=np.float32)
>>> train = graft.Interactions.from_pairs(np.arange(400) % 40, np.arange(400) % 97, items=100)
>>> graph = graft.refine(x, train, knn_k=10, threshold=0.3, jaccard_k=10)
>>> graft.propagate(graph, x, 1, "sum").shape
(100, 16)
"""

from graft import cuda, prepare, pyg, recipes, torch
from graft._algebra import (
    add,
    binarize,
    drop_self_loops,
    merge_top_k,
    mix,
    normalize,
    propagate,
    scale,
    symmetrize,
    threshold,
    top_k,
)
from graft._context import Context, numeric_path
from graft._core import CancelToken, Graph, Interactions, __version__
from graft._inspection import Inspection, inspect
from graft._io import (
    load_npz,
    load_npz_with_provenance,
    read_inter,
    read_inter_table,
    read_npy,
    save_npz,
    write_npy,
)
from graft._networkx import to_networkx
from graft._operators import (
    explain,
    jaccard_graph,
    knn_graph,
    plan_jaccard_graph,
    plan_knn_graph,
    plan_top_k_scores,
    refine,
    refine_with_summary,
    top_k_scores,
)
from graft._run import Run
from graft._train import evaluate, models, train
from graft._types import (
    EpochReport,
    Explanation,
    InterTable,
    Modality,
    ModelInfo,
    Plan,
    Ranking,
    RefineSummary,
    SettingInfo,
)
from graft.errors import (
    BackendUnavailable,
    Cancelled,
    Error,
    FormatError,
    InvalidArgument,
    IoError,
    Notice,
    OutOfMemory,
)

__all__ = [
    "BackendUnavailable",
    "CancelToken",
    "Cancelled",
    "Context",
    "EpochReport",
    "Error",
    "Explanation",
    "FormatError",
    "Graph",
    "Inspection",
    "InterTable",
    "Interactions",
    "InvalidArgument",
    "IoError",
    "Modality",
    "ModelInfo",
    "Notice",
    "OutOfMemory",
    "Plan",
    "Ranking",
    "RefineSummary",
    "Run",
    "SettingInfo",
    "__version__",
    "add",
    "binarize",
    "cuda",
    "drop_self_loops",
    "evaluate",
    "explain",
    "inspect",
    "jaccard_graph",
    "knn_graph",
    "load_npz",
    "load_npz_with_provenance",
    "merge_top_k",
    "mix",
    "models",
    "normalize",
    "numeric_path",
    "plan_jaccard_graph",
    "plan_knn_graph",
    "plan_top_k_scores",
    "prepare",
    "propagate",
    "pyg",
    "read_inter",
    "read_inter_table",
    "read_npy",
    "recipes",
    "refine",
    "refine_with_summary",
    "save_npz",
    "scale",
    "symmetrize",
    "threshold",
    "to_networkx",
    "top_k",
    "top_k_scores",
    "torch",
    "train",
    "write_npy",
]
