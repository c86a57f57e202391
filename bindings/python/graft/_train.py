"""Training a recommender on a dataset directory, and evaluating vectors of one's own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np

from graft import _core, _inputs
from graft._context import Context, running
from graft._io import _encoded
from graft._progress import Bars, Lines
from graft._run import Run, ordered
from graft._types import EpochReport, ItemGraph, MatrixLike, ModelInfo, ProgressCallback, SettingInfo, UserHistory
from graft.errors import InvalidArgument, Notice


def train(
    model: str,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    graph: ItemGraph = "vanilla",
    features: Mapping[str, str | os.PathLike[str]] | None = None,
    similarity: Mapping[str, str | os.PathLike[str]] | None = None,
    user_profile: str | os.PathLike[str] | None = None,
    user_history: UserHistory | None = None,
    settings: Mapping[str, object] | None = None,
    seed: int = 999,
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    on_epoch: Callable[[EpochReport], object] | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Run:
    """Trains a model by the protocol of the MMRec family, and keeps the weights of the best epoch.

    One negative a positive, dense Adam, early stopping on validation Recall@20. The result is a function of the data,
    the arguments and the seed: threads change the time and no bit. Ctrl-C ends after the current batch and leaves a
    directory that the same call with resume=True continues, to the bits that it would have had. Notices are warnings
    of class graft.Notice.

    Args:
        model: one of `graft.models()`.
        data: dataset directory, with NAME.inter and, for models that use them, *_feat.npy.
        out: run directory, new or empty; with `resume`, that of the run.
        graph: what the model's item-item graph is: its own ("vanilla") or the refined one.
        features: .npy files [items, dims] by modality, beside or in place of the directory's own.
        similarity: .npz similarity graphs by modality, in place of features.
        user_profile: vectors of users, for models that read some: "mean" or "sum" of their training items' features,
            "random", or a .npy file [users, dims]. None: user_preferences_feat.npy of `data` if it is there, else
            "mean".
        user_history: the interactions that such a file was made from, on your word: "train", or "unknown" or "all",
            which mark every output. None: FILE.npy.json must say that it was the training rows of this split.
        settings: of the model and the trainer, e.g. {"epochs": 100, "learning_rate": 1e-3}; see `graft.models()`.
        seed: of all random numbers, >= 0.
        resume: continue the run in `out`; the other arguments must be those of the run, but settings "epochs" and
            "stopping_step" may differ. A finished run is returned as it is.
        checkpoint_seconds: time between checkpoints, >= 0; 0: after every epoch.
        on_epoch: called after every epoch, on the calling thread; what it raises ends the training, which `resume`
            can continue, and is raised.
        threads: see graft.Context.
        progress: see graft.Context; a callable is told the batches of the epoch.
        context: see graft.Context.

    Raises:
        InvalidArgument: unknown model or setting (suggests the nearest), a value, an `out` that holds something, a file
            of user vectors that may hold held-out interactions (says how to go on).
        IoError: a file cannot be read or written.
        FormatError: a file is not what it must be; names it.
        Error: the loss is not finite; names epoch, batch and parameter.
        Cancelled: by a token.

    >>> import graft, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = graft.prepare.synth(folder + "/toy", users=60, items=50, interactions=900)
    ...     run = graft.train("freedom", folder + "/toy", folder + "/run", graph="refined", settings={"epochs": 3})
    >>> run.user_embeddings.shape
    (60, 64)
    """
    paths = {
        "data": _encoded("train", data, "data"),
        "out": _encoded("train", out, "out"),
        "features": _named_paths("features", features),
        "similarity": _named_paths("similarity", similarity),
        "user_profile": b"" if user_profile is None else _encoded("train", user_profile, "user_profile"),
    }
    values = {
        "model": model,
        "graph": graph,
        "user_history": "" if user_history is None else user_history,
        "seed": seed,
        "resume": resume,
        "checkpoint_seconds": checkpoint_seconds,
    }
    if not (on_epoch is None or callable(on_epoch)):
        raise TypeError(f"train: on_epoch = {on_epoch!r}: must be None or callable(graft.EpochReport)")

    def notify(notice: str) -> None:
        warnings.warn(notice, Notice, stacklevel=3)

    with running(context, threads, progress) as call:
        display = call.progress if isinstance(call.progress, (Bars, Lines)) else None

        def report(facts: dict[str, Any]) -> None:
            told = EpochReport(**{**facts, "valid": ordered(facts["valid"]), "test": ordered(facts["test"])})
            if display is not None:
                display.note("train", _summary(told))
            if on_epoch is not None:
                on_epoch(told)

        told = None if display is None and on_epoch is None else report
        return Run._of(_core.train(paths, _assignments(settings), values, told, notify, call))


def _summary(report: EpochReport) -> str:
    quality = f", valid recall@20 {report.valid['recall@20']:.4f}" if "recall@20" in report.valid else ""
    return f"epoch {report.epoch}, loss {report.loss:.5f}{quality}{' (best)' if report.best else ''}"


def _named_paths(argument: str, paths: Mapping[str, str | os.PathLike[str]] | None) -> dict[str, bytes]:
    if paths is None:
        return {}
    if not isinstance(paths, Mapping) or not all(isinstance(name, str) for name in paths):
        raise TypeError(f"train: {argument} = {paths!r}: must be a dict of a path by modality")
    return {name: _encoded("train", path, f"{argument}[{name!r}]") for name, path in paths.items()}


def _assignments(settings: Mapping[str, object] | None) -> list[str]:
    """Settings as key=value."""
    if settings is None:
        return []
    if not isinstance(settings, Mapping):
        raise TypeError(f"train: settings = {settings!r}: must be a dict of a value by name")
    for name in settings:
        if not isinstance(name, str):
            raise TypeError(f"train: settings: {name!r}: names must be str")
        if "=" in name:
            raise InvalidArgument(f"train: settings: {name!r}: must be the name of a setting")
    return [f"{name}={_spelled(name, value)}" for name, value in settings.items()]


def _spelled(name: str, value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, str):
        return value
    raise TypeError(f"train: settings[{name!r}] = {value!r}: must be a bool, int, float or str")


def evaluate(
    user_vectors: MatrixLike,
    item_vectors: MatrixLike,
    data: str | os.PathLike[str],
    *,
    cutoffs: Iterable[int] = (5, 10, 20, 50),
    groups: bool = True,
    candidates: Literal["all", "cold"] = "all",
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Evaluates vectors of any origin on a dataset directory: a user's score for an item is the dot product of theirs.

    For every user of a split, all items but the user's training items are ranked, ties by lower id; validation items
    are not masked at test time. With hit_j whether rank j is held out and P the user's held-out rows: Recall@k = sum
    hit_j / P; NDCG@k = sum hit_j / log2(j + 1) over its value for min(k, P) hits first; Precision@k = sum hit_j / k;
    MAP@k = sum hit_j (hits up to j) / j over min(k, P); each a mean over the users.

    Args:
        user_vectors: [users, dims], a row a userID of the data.
        item_vectors: [items, dims].
        data: dataset directory.
        cutoffs: each >= 1.
        groups: also measure groups of users and items.
        candidates: "all" ranks every item but the user's training items. "cold" ranks the split's items without a
            training row against each other, and measures the rows of these items alone: for splits with cold items.
        threads: see graft.Context.
        progress: see graft.Context.
        context: see graft.Context.

    Returns:
        "valid" and "test", each a dict of metrics by name, e.g. "recall@20", with "users", "interactions",
        "candidates" (how many items are ranked), "by_activity" (groups of users by training items) and
        "by_popularity" (held-out rows by training interactions of their item). A group is a dict of "group", "members"
        and metrics: `pandas.DataFrame` makes a table of a list of groups. "catalogue" holds "coverage@k", the share of
        the items that any list holds, and "gini@k", how unequally they are recommended.

    Raises:
        InvalidArgument: rows that differ from the data's users or items, a cutoff, cold candidates where neither
            split has any, NaN or infinity.
        IoError: the data cannot be read.
        FormatError: the data are not what they must be.

    >>> import graft, numpy as np, tempfile
    >>> random = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = graft.prepare.synth(folder + "/toy", users=60, items=50, interactions=900)
    ...     found = graft.evaluate(random.random((60, 8)), random.random((50, 8)), folder + "/toy")
    >>> 0 <= found["test"]["recall@20"] <= 1
    True
    """
    users = _inputs.matrix("evaluate", "user_vectors", user_vectors)
    items = _inputs.matrix("evaluate", "item_vectors", item_vectors)
    counts = [int(cutoff) for cutoff in _inputs.ids("evaluate", "cutoffs", list(cutoffs))]
    directory = _encoded("evaluate", data, "data")
    options = {"groups": groups, "candidates": candidates}
    with running(context, threads, progress) as settings:
        found = _core.evaluate(users, items, directory, counts, options, settings)
    return {
        "valid": _split_evaluation(found["valid"]),
        "test": _split_evaluation(found["test"]),
        "catalogue": ordered(found["catalogue"]),
    }


def _split_evaluation(split: dict[str, Any]) -> dict[str, Any]:
    groups = {
        by: [{"group": group["group"], "members": group["members"], **ordered(group["metrics"])} for group in split[by]]
        for by in ("by_activity", "by_popularity")
    }
    counts = {name: split[name] for name in ("users", "interactions", "candidates")}
    return {**ordered(split["metrics"]), **counts, **groups}


def models() -> list[ModelInfo]:
    """The models that `train` knows, with all their settings.

    >>> import graft
    >>> [model.name for model in graft.models() if "LightGCN" in model.description][:1]
    ['lightgcn']
    >>> {setting.name: setting.default_value for setting in graft.models()[0].settings}["train_batch_size"]
    '2048'
    """
    return [
        ModelInfo(name, description, tuple(SettingInfo(*setting) for setting in settings))
        for name, description, settings in _core.models()
    ]
