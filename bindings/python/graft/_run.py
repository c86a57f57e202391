"""A trained model in its directory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graft import _core, _inputs
from graft._context import Context, running
from graft._io import _encoded
from graft._types import ProgressCallback, Ranking

MEASURES = ("recall", "ndcg", "precision", "map")


def ordered(metrics: dict[str, float]) -> dict[str, float]:
    """Metrics by measure, then cutoff."""

    def place(name: str) -> tuple[int, str, int]:
        measure, _, cutoff = name.partition("@")
        rank = MEASURES.index(measure) if measure in MEASURES else len(MEASURES)
        return rank, measure, int(cutoff) if cutoff.isdecimal() else 0

    return {name: metrics[name] for name in sorted(metrics, key=place)}


class Run:
    """A trained model in its directory: what came out, and the vectors to recommend with.

    `graft.train` returns one; `Run(directory)` opens one that was trained before, here or by `graft train`.

    Args:
        directory: of the run.

    Raises:
        FormatError: the directory holds no run, or one that has not finished (train with resume=True), or a file of it
            is damaged.
        IoError: a file cannot be read.

    >>> import graft, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = graft.prepare.synth(folder + "/toy", users=60, items=50, interactions=900)
    ...     trained = graft.train("lightgcn", folder + "/toy", folder + "/run", settings={"epochs": 2})
    ...     run = graft.Run(folder + "/run")
    >>> run.model, run.epochs, run.valid == trained.valid
    ('lightgcn', 2, True)
    """

    _run: _core.StoredRun

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        encoded = _encoded("Run", directory, "directory")
        with running(None, None, None) as settings:
            self._run = _core.StoredRun(encoded, settings)

    @classmethod
    def _of(cls, stored: _core.StoredRun) -> Run:
        run = cls.__new__(cls)
        run._run = stored
        return run

    @property
    def directory(self) -> Path:
        """Where the run lies."""
        return Path(os.fsdecode(self._run.directory))

    @property
    def report(self) -> Path:
        """A page with curves, metrics by groups, and the item graphs; it needs no network."""
        return self.directory / "report.html"

    @property
    def model(self) -> str:
        """The model's name."""
        return self._run.model

    @property
    def epochs(self) -> int:
        """Epochs that were trained."""
        return self._run.epochs

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept, chosen by validation; 0-based."""
        return self._run.best_epoch

    @property
    def seconds_per_epoch(self) -> float:
        """Time of an epoch's batches, without evaluation."""
        return self._run.seconds_per_epoch

    @property
    def valid(self) -> dict[str, float]:
        """Metrics of the best epoch on the validation rows, e.g. valid["recall@20"]."""
        return ordered(self._run.valid)

    @property
    def test(self) -> dict[str, float]:
        """Metrics of the best epoch on the test rows; empty where there are none."""
        return ordered(self._run.test)

    @property
    def notices(self) -> list[str]:
        """What everybody who reads the run's numbers must know; empty for a run like any other.

        A run whose user vectors may hold validation or test interactions says so here.
        """
        return self._run.notices

    @property
    def log(self) -> dict[str, npt.NDArray[Any]]:
        """Columns with an entry an epoch, as log.csv has them; `pandas.DataFrame(run.log)` is a table.

        epoch, loss, learning_rate, valid_recall@5 ..., test_recall@5 ..., train_seconds, evaluation_seconds. A metric
        is NaN in an epoch that was not evaluated.
        """
        rows = self._run.log
        columns: dict[str, npt.NDArray[Any]] = {"epoch": np.array([row["epoch"] for row in rows], dtype=np.int64)}
        for name in ("loss", "learning_rate"):
            columns[name] = _column(rows, name)
        for split in ("valid", "test"):
            for name in ordered({name: 0.0 for row in rows for name in row[split]}):
                columns[f"{split}_{name}"] = _column([row[split] for row in rows], name)
        for name in ("train_seconds", "evaluation_seconds"):
            columns[name] = _column(rows, name)
        return columns

    @property
    def config(self) -> dict[str, Any]:
        """What the run was made from: model, data, settings, seed, hashes of the inputs (config.json)."""
        config: dict[str, Any] = json.loads(self._run.config_json)
        return config

    @property
    def metrics(self) -> dict[str, Any]:
        """Everything that was measured at the best epoch (metrics.json)."""
        metrics: dict[str, Any] = json.loads(self._run.metrics_json)
        return metrics

    @property
    def user_embeddings(self) -> npt.NDArray[np.float32]:
        """Final vectors [users, dims] of the best epoch; a score is the dot product with an item's.

        Read-only, in the run's memory: no copy.
        """
        return self._run.user_embeddings

    @property
    def item_embeddings(self) -> npt.NDArray[np.float32]:
        """Final vectors [items, dims] of the best epoch; read-only, in the run's memory."""
        return self._run.item_embeddings

    def recommend(
        self,
        users: npt.ArrayLike,
        k: int = 20,
        *,
        data: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        progress: bool | ProgressCallback | None = None,
        context: Context | None = None,
    ) -> Ranking:
        """The best k items of each user, without the user's training items.

        Args:
            users: ids, repeats allowed; row r of the ranking belongs to users[r].
            k: >= 1; rows hold fewer where fewer items are left.
            data: the dataset directory, if it has moved since training.
            threads: see graft.Context.
            progress: see graft.Context.
            context: see graft.Context.

        Raises:
            InvalidArgument: a user who is not in the data; k.
            IoError: the training interactions cannot be read.
            FormatError: they are not those of the run.
        """
        operation = "Run.recommend"
        ids = _inputs.ids(operation, "users", users)
        directory = b"" if data is None else _encoded(operation, data, "data")
        with running(context, threads, progress) as settings:
            return Ranking(*self._run.recommend(ids, {"k": k}, directory, settings))

    def __repr__(self) -> str:
        """Model, place, and how good it is."""
        split, metrics = ("test", self.test) if self.test else ("valid", self.valid)
        quality = f", {split} recall@20 {metrics['recall@20']:.4f}" if "recall@20" in metrics else ""
        epochs = f"best epoch {self.best_epoch} of {self.epochs}"
        return f"<graft.Run: {self.model} in {str(self.directory)!r}, {epochs}{quality}>"


def _column(rows: list[dict[str, Any]], name: str) -> npt.NDArray[np.float64]:
    return np.array([row.get(name, np.nan) for row in rows], dtype=np.float64)
