"""A graph in numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graft import _core, _inputs
from graft._context import Context, running
from graft._types import GraphLike, InteractionsLike, ProgressCallback, Split


@dataclass(frozen=True)
class Inspection:
    """What `inspect` found. `print` shows it as text; a notebook shows the page.

    Attributes:
        facts: every number, by the names of `graft inspect --json`; None where a number is not defined.
        text: for a terminal.
        html: a page of its own, with plots; it needs no network.
    """

    facts: dict[str, Any]
    text: str = field(repr=False)
    html: str = field(repr=False)

    def __str__(self) -> str:
        """The text."""
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def inspect(
    graph: GraphLike,
    *,
    interactions: InteractionsLike | None = None,
    before: GraphLike | None = None,
    labels: Sequence[object] | None = None,
    split: Split = "train",
    provenance: Mapping[str, str] | None = None,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> Inspection:
    """Says what is in a graph, and what users, labels and another graph say of it.

    Args:
        graph: a Graph, or a square SciPy matrix.
        interactions: how often users confirm edges.
        before: another graph of the same items: what was kept, added and removed since.
        labels: a category an item; None or "" for an item without one: do edges stay within labels?
        split: which interactions those are: what the texts call them.
        provenance: of the graph, as `load_npz_with_provenance` gives it: tells what the weights mean.
        threads: see Context.
        progress: see Context.
        context: see Context.

    Raises:
        InvalidArgument: another number of items (names both).

    >>> import graft
    >>> graft.inspect(graft.Graph.identity(3)).facts["self_loops"]
    3
    """
    texts = None
    if labels is not None:
        texts = ["" if label is None else str(label) for label in labels]
    inputs = {
        "interactions": None if interactions is None else _inputs.interactions("inspect", interactions),
        "before": None if before is None else _inputs.graph("inspect", "before", before),
        "labels": texts,
        "provenance": dict(provenance or {}),
    }
    names = {"graph": "graph", "before": "before", "interactions": "interactions", "split": split, "labels": "labels"}
    argument = _inputs.graph("inspect", "graph", graph)
    with running(context, threads, progress) as settings:
        facts, text, html = _core.inspect(argument, inputs, names, settings)
    return Inspection(json.loads(facts), text, html)
