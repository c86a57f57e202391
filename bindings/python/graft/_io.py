"""Readers and writers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from graft import _core, _inputs
from graft._context import running
from graft._core import Graph, Interactions
from graft._types import GraphLike, InterTable, MatrixLike, Split, Unsorted
from graft.errors import Notice


def _encoded(
    operation: str, path: str | bytes | os.PathLike[str] | os.PathLike[bytes], argument: str = "path"
) -> bytes:
    try:
        return os.fsencode(path)
    except TypeError:
        raise TypeError(f"{operation}: {argument} = {path!r}: must be a str, bytes or os.PathLike") from None


def load_npz(path: str | os.PathLike[str], *, unsorted: Unsorted = "sort_and_sum") -> Graph:
    """Reads a square CSR matrix as `save_npz` writes it, here or in SciPy.

    Args:
        path: compressed or not; int32 or int64 indices; float16/32/64, integer or bool data.
        unsorted: what to do with rows that are not sorted or repeat a column: "sort_and_sum" or "refuse".

    Raises:
        IoError: cannot be read.
        FormatError: not such a file; names the member.
    """
    with running(None, None, None) as settings:
        return _core.load_npz_graph(_encoded("load_npz", path), {"unsorted": unsorted}, settings)


def load_npz_with_provenance(
    path: str | os.PathLike[str], *, unsorted: Unsorted = "sort_and_sum"
) -> tuple[Graph, dict[str, str]]:
    """As `load_npz`, with the facts that `save_npz` stored beside the graph."""
    with running(None, None, None) as settings:
        return _core.load_npz(_encoded("load_npz", path), {"unsorted": unsorted}, settings)


def save_npz(
    path: str | os.PathLike[str],
    graph: GraphLike,
    provenance: Mapping[str, str] | None = None,
    *,
    compressed: bool = True,
) -> None:
    """Writes a graph as `scipy.sparse.save_npz` does, so that `scipy.sparse.load_npz` reads it.

    The file is written whole or not at all; the same arguments give the same bytes.

    Args:
        path: used as it is: no ".npz" is appended.
        graph: a Graph, or a SciPy matrix.
        provenance: facts to store, e.g. options and hashes of inputs: keys of [A-Za-z0-9_.-], str values.
        compressed: deflate the members.

    Raises:
        IoError: cannot be written.
        InvalidArgument: a provenance entry that is not allowed.
    """
    facts = dict(provenance or {})
    for key, value in facts.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"save_npz: provenance[{key!r}] = {value!r}: keys and values must be str")
    argument = _inputs.graph("save_npz", "graph", graph)
    with running(None, None, None) as settings:
        _core.save_npz(_encoded("save_npz", path), argument, facts, bool(compressed), settings)


def read_inter(
    path: str | os.PathLike[str], *, split: Split = "train", items: int = -1, users: int = -1
) -> Interactions:
    """Reads one split of a .inter file, as the MMRec framework writes it: of the training rows unless told otherwise.

    The file is tab-separated with a header; userID and itemID are required, x_label (0 train, 1 valid, 2 test) is
    optional. What a person should know, e.g. that x_label is missing, is a warning of class graft.Notice.

    Args:
        path: of the file.
        split: "train", "valid", "test" or "all".
        items: number of items, e.g. rows of the features; -1: the largest itemID of all splits + 1.
        users: number of users; -1: the largest userID of all splits + 1.

    Raises:
        IoError: cannot be read.
        FormatError: not such a file, an id that is too large; names the line and the field.
    """
    values = {"split": split, "items": items, "users": users}
    with running(None, None, None) as settings:
        held, notices = _core.read_inter(_encoded("read_inter", path), values, settings)
    for notice in notices:
        warnings.warn(notice, Notice, stacklevel=2)
    return held


def read_inter_table(path: str | os.PathLike[str]) -> InterTable:
    """Reads all rows of a .inter file, in the file's order, with their splits. Errors as `read_inter`."""
    with running(None, None, None) as settings:
        users, items, labels, has_labels, user_count, item_count, notices = _core.read_inter_table(
            _encoded("read_inter_table", path), settings
        )
    return InterTable(users, items, labels, has_labels, user_count, item_count, tuple(notices))


def read_npy(path: str | os.PathLike[str]) -> npt.NDArray[np.float32]:
    """Reads a 1- or 2-dimensional .npy array of floats as a row-major float32 matrix, never running what is in it.

    Raises:
        IoError: cannot be read.
        FormatError: not .npy, another dtype or number of dimensions, header and length that disagree.
    """
    with running(None, None, None) as settings:
        return _core.read_npy(_encoded("read_npy", path), settings)


def write_npy(path: str | os.PathLike[str], matrix: MatrixLike) -> None:
    """Writes a float32 .npy, whole or not at all.

    Raises:
        IoError: cannot be written.
    """
    array = _inputs.matrix("write_npy", "matrix", matrix)
    with running(None, None, None) as settings:
        _core.write_npy(_encoded("write_npy", path), array, settings)
