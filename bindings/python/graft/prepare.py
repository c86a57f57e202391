"""Data set directories: planted ones, and splits of one's own interactions."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from typing import Any, Literal

from graft import _core
from graft._context import Context, running
from graft._io import _encoded
from graft._types import ProgressCallback
from graft.errors import Notice


def synth(
    directory: str | os.PathLike[str],
    *,
    shape: str = "demo",
    users: int | None = None,
    items: int | None = None,
    interactions: int | None = None,
    text_dims: int | None = None,
    image_dims: int | None = None,
    clusters: int | None = None,
    noise: float | None = None,
    noisy_items: float | None = None,
    bridges: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Makes a data set whose truth is known, to see what an operator or a model finds of it.

    Items fall into clusters and families; some have features that lie (false edges by similarity), some are bought
    together across clusters (edges that only audiences show). `truth.npz` holds the pairs that belong together. The
    directory appears whole or not at all; the same arguments give the same bytes on every machine.

    Args:
        directory: the target: new, or empty.
        shape: sizes by name: "demo", "baby", "sports", ...
        users: instead of the shape's, and so are the other sizes.
        items: see `users`.
        interactions: exact total.
        text_dims: columns of text_feat.npy.
        image_dims: columns of image_feat.npy; 0: none.
        clusters: 0: half the square root of the items.
        noise: share of interactions that follow no taste, in [0, 1].
        noisy_items: share of items with features that lie, in [0, 1].
        bridges: share of items to put in groups that are bought together, in [0, 1].
        seed: another one gives another data set.
        threads: see graft.Context.
        progress: see graft.Context.
        context: see graft.Context.

    Returns:
        The content of dataset.json: options, counts, SHA-256 of each file.

    Raises:
        InvalidArgument: an option.
        IoError: the directory cannot be made, or is not empty.

    >>> import graft, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     facts = graft.prepare.synth(folder + "/toy", users=50, items=40, interactions=400)
    ...     graft.read_inter(folder + "/toy/toy.inter").users
    50
    """
    values = {
        "shape": shape,
        "users": users,
        "items": items,
        "interactions": interactions,
        "text_dims": text_dims,
        "image_dims": image_dims,
        "clusters": clusters,
        "noise": noise,
        "noisy_items": noisy_items,
        "bridges": bridges,
        "seed": seed,
    }
    with running(context, threads, progress) as settings:
        facts: dict[str, Any] = json.loads(_core.synth(_encoded("prepare.synth", directory), values, settings))
    return facts


def split(
    directory: str | os.PathLike[str],
    files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    protocol: Literal["random", "temporal", "temporal-user", "cold-item"] = "random",
    k_core: int = 5,
    seed: int = 999,
    duplicates: Literal["triple", "pair", "keep"] = "triple",
    cold_share: float = 0.2,
    user: str | None = None,
    item: str | None = None,
    time: str | None = None,
    rating: str | None = None,
    format: Literal["auto", "csv", "tsv", "jsonl"] = "auto",
    header: Literal["auto", "yes", "no"] = "auto",
    trim_ids: bool = False,
    min_rating: float | None = None,
    name: str | None = None,
    progress: bool | ProgressCallback | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Makes a data set of files of interactions: duplicates, k-core, new ids from 0, split.

    The directory holds NAME.inter, u_id_mapping.csv, i_id_mapping.csv and dataset.json; it appears whole or not at
    all, and the same files and arguments give the same bytes. Notices are warnings of class graft.Notice.

    Args:
        directory: the target: new, or empty.
        files: CSV, TSV or JSON lines, packed by gzip or not; one or more, which are read as one table.
        protocol: "random" (each user's rows by chance, about 8:1:1), "temporal-user" (each user's rows by time),
            "temporal" (80/10/10 by time) or "cold-item" (some items never train).
        k_core: every user and item keeps this many rows at least; 0: off.
        seed: of "random" and "cold-item".
        duplicates: remove rows that repeat user, item and time ("triple") or user and item ("pair"), or "keep" them.
        cold_share: share of the items that "cold-item" holds out, in [0, 1].
        user: column by name, JSON key or place from 1; None: found by its usual names. So are the others.
        item: see `user`.
        time: see `user`; "none": do not read times.
        rating: see `user`; "none": do not read ratings.
        format: "auto": by the first line.
        header: "auto": the first line is one if it names a known column.
        trim_ids: take blanks around ids away.
        min_rating: leave rows out whose rating is below, or absent.
        name: of NAME.inter; None: the base name of the directory.
        progress: see graft.Context.
        context: see graft.Context.

    Returns:
        The content of dataset.json: counts of each step, hashes.

    Raises:
        InvalidArgument: an option; no row is left.
        IoError: a file or the directory.
        FormatError: names file and line.
    """
    paths: list[Any] = [files] if isinstance(files, (str, bytes, os.PathLike)) else list(files)
    values = {
        "protocol": protocol,
        "k_core": k_core,
        "seed": seed,
        "duplicates": duplicates,
        "cold_share": cold_share,
        "user": user,
        "item": item,
        "time": time,
        "rating": rating,
        "format": format,
        "header": header,
        "trim_ids": trim_ids,
        "min_rating": min_rating,
        "name": name,
    }
    with running(context, None, progress) as settings:
        description, notices = _core.split(
            _encoded("prepare.split", directory), [_encoded("prepare.split", path) for path in paths], values, settings
        )
    for notice in notices:
        warnings.warn(notice, Notice, stacklevel=2)
    facts: dict[str, Any] = json.loads(description)
    return facts
