"""Arguments in the forms that the compiled part takes: without a copy where the layout allows."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graft import _core
from graft._core import Graph, Interactions
from graft._types import GraphLike, InteractionsLike, MatrixLike, SparseMatrix
from graft.errors import BackendUnavailable, InvalidArgument

if TYPE_CHECKING:
    from scipy.sparse import csr_array

GraphArrays: TypeAlias = tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]

INT32_MAX = 2**31 - 1
# Devices of DLPack whose memory the processor can read: CPU, CUDA pinned.
HOST_DEVICES = (1, 3)
FLOAT_BYTES = (2, 4, 8)
ON_DEVICE = "x.cpu(); knn_graph and graft.cuda read it where it is"
# The type numbers of DLPack: memory of a CUDA device, floating-point elements.
CUDA_DEVICE = 2
FLOAT_CODE = 2
# CUDA's handle of the legacy default stream, for producers that are asked to be done before what it gets next.
LEGACY_STREAM = 1

# Pointer, rows, columns, stride, device, and the stream that fills the memory (None: it is not known).
DeviceMatrix: TypeAlias = tuple[int, int, int, int, int, "int | None"]


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _is_sparse(value: object) -> bool:
    return hasattr(value, "tocsr") and hasattr(value, "shape")


def _imported(operation: str, name: str, value: Any) -> npt.NDArray[Any]:
    """Another library's array as a NumPy array, sharing its memory."""
    try:
        device = int(value.__dlpack_device__()[0])
    except ValueError:  # a device that DLPack has no number for
        device = 0
    if device not in HOST_DEVICES or hasattr(value, "__cuda_array_interface__"):
        raise BackendUnavailable(f"{operation}: {name}: is not in host memory: {ON_DEVICE}")
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError) as error:
        raise TypeError(
            f"{operation}: {name}: {_type_name(value)}: must be a dense array of float16, float32 or float64 that "
            f"needs no gradient: x.detach().float() ({error})"
        ) from error


def _dense(operation: str, name: str, value: Any) -> npt.NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise InvalidArgument(f"{operation}: {name}: masked array: must not be masked: fill it first")
    if isinstance(value, np.ndarray):
        return value
    if _is_sparse(value):
        raise TypeError(f"{operation}: {name}: {_type_name(value)}: must be dense: x.toarray()")
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _imported(operation, name, value)
    if hasattr(value, "__cuda_array_interface__"):
        raise BackendUnavailable(f"{operation}: {name}: is not in host memory: {ON_DEVICE}")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InvalidArgument(f"{operation}: {name}: must be an array [rows, columns]: {error}") from error


def matrix(operation: str, name: str, value: MatrixLike) -> npt.NDArray[np.float32]:
    """[rows, columns] float32 with contiguous rows: the caller's memory if it is that already, else a copy."""
    array = _dense(operation, name, value)
    if array.dtype.kind != "f" or array.dtype.itemsize not in FLOAT_BYTES:
        raise TypeError(
            f"{operation}: {name}: dtype {array.dtype}: must be float16, float32 or float64: x.astype('float32')"
        )
    if array.ndim != 2:
        raise InvalidArgument(f"{operation}: {name}: shape {array.shape}: must have 2 dimensions, [rows, columns]")
    if max(array.shape) > INT32_MAX:
        raise InvalidArgument(f"{operation}: {name}: shape {array.shape}: must have at most 2^31 - 1 rows and columns")
    if array.dtype == np.float32 and array.dtype.isnative and array.flags.aligned and _rows_are_contiguous(array):
        return array
    with np.errstate(over="ignore"):  # the operators refuse the infinities, and say where
        return np.ascontiguousarray(array, dtype=np.float32)


def is_on_device(value: Any) -> bool:
    """Whether a CUDA device holds the array."""
    if hasattr(value, "__cuda_array_interface__"):
        return True
    if not hasattr(value, "__dlpack__") or not hasattr(value, "__dlpack_device__"):
        return False
    try:
        return bool(int(value.__dlpack_device__()[0]) == CUDA_DEVICE)
    except ValueError:  # a device that DLPack has no number for
        return False


@contextmanager
def device_matrix(operation: str, name: str, value: Any) -> Iterator[DeviceMatrix]:
    """A float32 matrix in a CUDA device's memory, which lasts as long as the context."""
    if hasattr(value, "__cuda_array_interface__"):
        yield _of_interface(operation, name, value)
        return
    capsule = value.__dlpack__(stream=LEGACY_STREAM)  # kept: it owns the memory
    data, shape, strides, _, device, code, bits = _core.dlpack_facts(capsule)
    if (code, bits) != (FLOAT_CODE, 32):
        raise TypeError(f"{operation}: {name}: must be float32 on a device")
    yield (data, *_layout(operation, name, shape, strides), device, LEGACY_STREAM)


def _of_interface(operation: str, name: str, value: Any) -> DeviceMatrix:
    facts = value.__cuda_array_interface__
    if facts["typestr"] != "<f4":
        raise TypeError(f"{operation}: {name}: type {facts['typestr']}: must be float32 on a device: x.float()")
    shape = tuple(int(size) for size in facts["shape"])
    strides = facts.get("strides")
    item = np.dtype(np.float32).itemsize
    if strides is not None:
        if any(int(stride) % item for stride in strides):
            raise InvalidArgument(f"{operation}: {name}: strides {strides}: rows must be contiguous: x.contiguous()")
        strides = tuple(int(stride) // item for stride in strides)
    layout = _layout(operation, name, shape, strides)
    device = int(value.__dlpack_device__()[1]) if hasattr(value, "__dlpack_device__") else 0
    return (int(facts["data"][0]), *layout, device, _stream_of(value, facts))


def _layout(operation: str, name: str, shape: tuple[int, ...], strides: tuple[int, ...] | None) -> tuple[int, int, int]:
    """Rows, columns and stride; sizes are in elements."""
    if len(shape) != 2:
        raise InvalidArgument(f"{operation}: {name}: shape {shape}: must have 2 dimensions, [rows, columns]")
    rows, columns = shape
    between, within = strides or (columns, 1)
    stride = between if rows > 1 else columns
    if stride < columns or (columns > 1 and within != 1):
        raise InvalidArgument(f"{operation}: {name}: strides {strides}: rows must be contiguous: x.contiguous()")
    return rows, columns, stride


def _stream_of(value: Any, facts: Mapping[str, Any]) -> int | None:
    """The stream that the producer works on, or None where it does not say."""
    stream = facts.get("stream")
    if stream is not None:
        return int(stream)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):  # its interface has no stream
        return int(torch.cuda.current_stream(value.device).cuda_stream)
    return None


def _rows_are_contiguous(array: npt.NDArray[Any]) -> bool:
    rows, columns = array.shape
    within = columns <= 1 or array.strides[1] == array.itemsize
    stride = array.strides[0]
    between = rows <= 1 or (stride >= columns * array.itemsize and stride % array.itemsize == 0)
    return array.size == 0 or (within and between)


def output(operation: str, name: str, out: Any, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """The caller's array to write to; it is never replaced by a copy."""
    if isinstance(out, np.ndarray) and out.dtype == np.float32 and out.dtype.isnative and out.shape == shape:
        array: npt.NDArray[np.float32] = out
        if array.flags.writeable and array.flags.aligned and _rows_are_contiguous(array):
            return array
    raise InvalidArgument(f"{operation}: {name}: must be a writeable float32 NumPy array {shape} with contiguous rows")


def _narrowed(operation: str, name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Integers as contiguous int32."""
    if values.dtype != np.int32 and values.size > 0:
        for bad in (int(values.max()), int(values.min())):
            if not -INT32_MAX - 1 <= bad <= INT32_MAX:
                place = int(np.argmax(values == bad))
                raise InvalidArgument(f"{operation}: {name}[{place}] = {bad}: must be at most 2147483647")
    return np.ascontiguousarray(values, dtype=np.int32)


def _vector(operation: str, name: str, values: Any) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidArgument(f"{operation}: {name}: shape {array.shape}: must have 1 dimension")
    return array


def _integers(operation: str, name: str, values: Any) -> npt.NDArray[Any]:
    array = _vector(operation, name, values)
    if array.size == 0 and not isinstance(values, np.ndarray):
        return array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{operation}: {name}: dtype {array.dtype}: must be integers")
    return array


def _integer(operation: str, name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{operation}: {name} = {value!r}: must be an int") from None


def _floats(operation: str, name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if values.dtype.kind not in "fiub":
        raise TypeError(f"{operation}: {name}: dtype {values.dtype}: must be real numbers")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def _csr(operation: str, name: str, value: SparseMatrix) -> Any:
    if len(value.shape) != 2:
        raise InvalidArgument(f"{operation}: {name}: shape {value.shape}: must have 2 dimensions")
    return value.tocsr()


def _arrays_of_csr(operation: str, name: str, csr: Any) -> GraphArrays:
    if csr.shape[0] != csr.shape[1]:
        raise InvalidArgument(f"{operation}: {name}: shape {csr.shape}: must be square")
    stored = int(csr.indptr[-1])  # SciPy allows longer arrays
    return (
        int(csr.shape[0]),
        np.ascontiguousarray(csr.indptr, dtype=np.int64),
        _narrowed(operation, "indices", csr.indices[:stored]),
        _floats(operation, "data", csr.data[:stored]),
    )


def graph(operation: str, name: str, value: GraphLike) -> Graph | GraphArrays:
    """A graph, or the arrays of a SciPy matrix, shared where they are int32 and float32."""
    if isinstance(value, Graph):
        return value
    if not _is_sparse(value):
        raise TypeError(f"{operation}: {name}: {_type_name(value)}: must be a graft.Graph or a SciPy sparse matrix")
    csr = _csr(operation, name, value)
    arrays = _arrays_of_csr(operation, name, csr)
    return arrays if csr.has_canonical_format else Graph._from_csr(*arrays, "sort_and_sum")


def graph_from_scipy(value: SparseMatrix, unsorted: str) -> Graph:
    """Body of Graph.from_scipy."""
    operation = "Graph.from_scipy"
    if not _is_sparse(value):
        raise TypeError(f"{operation}: matrix: {_type_name(value)}: must be a SciPy sparse matrix")
    return Graph._from_csr(*_arrays_of_csr(operation, "matrix", _csr(operation, "matrix", value)), unsorted)


def graph_from_csr(items: int, indptr: Any, indices: Any, data: Any, unsorted: str) -> Graph:
    """Body of Graph.from_csr."""
    operation = "Graph.from_csr"
    return Graph._from_csr(
        _integer(operation, "items", items),
        np.ascontiguousarray(_integers(operation, "indptr", indptr), dtype=np.int64),
        _narrowed(operation, "indices", _integers(operation, "indices", indices)),
        _floats(operation, "data", _vector(operation, "data", data)),
        unsorted,
    )


def interactions(operation: str, value: InteractionsLike) -> Interactions:
    """Interactions, or a users x items SciPy matrix as such."""
    if isinstance(value, Interactions):
        return value
    if not _is_sparse(value):
        raise TypeError(
            f"{operation}: interactions: {_type_name(value)}: must be graft.Interactions or a users x items SciPy "
            "sparse matrix"
        )
    return _interactions_from_sparse(operation, "interactions", value)


def _interactions_from_sparse(operation: str, name: str, value: Any) -> Interactions:
    if getattr(value, "format", "") == "coo" and len(value.shape) == 2:  # repeated pairs can still be counted
        rows = _narrowed(operation, "row", value.row)
        return Interactions._from_pairs(rows, _narrowed(operation, "col", value.col), *map(int, value.shape))
    csr = _csr(operation, name, value)
    stored = int(csr.indptr[-1])
    return Interactions._from_csr(
        int(csr.shape[0]),
        int(csr.shape[1]),
        np.ascontiguousarray(csr.indptr, dtype=np.int64),
        _narrowed(operation, "indices", csr.indices[:stored]),
    )


def interactions_from_scipy(value: SparseMatrix) -> Interactions:
    """Body of Interactions.from_scipy."""
    if not _is_sparse(value):
        raise TypeError(f"Interactions.from_scipy: matrix: {_type_name(value)}: must be a SciPy sparse matrix")
    return _interactions_from_sparse("Interactions.from_scipy", "matrix", value)


def interactions_from_pairs(user_ids: Any, item_ids: Any, users: int, items: int) -> Interactions:
    """Body of Interactions.from_pairs."""
    operation = "Interactions.from_pairs"
    return Interactions._from_pairs(
        _narrowed(operation, "user_ids", _integers(operation, "user_ids", user_ids)),
        _narrowed(operation, "item_ids", _integers(operation, "item_ids", item_ids)),
        _integer(operation, "users", users),
        _integer(operation, "items", items),
    )


def ids(operation: str, name: str, values: Any) -> npt.NDArray[np.int32]:
    """A vector of ids as contiguous int32."""
    return _narrowed(operation, name, _integers(operation, name, values))


def interactions_to_scipy(held: Interactions) -> csr_array[np.float32, tuple[int, int]]:
    """Body of Interactions.to_scipy."""
    from scipy.sparse import csr_array

    offsets = held.user_offsets
    indptr = offsets.astype(np.int32) if held.size <= INT32_MAX else offsets
    matrix = csr_array((np.ones(held.size, dtype=np.float32), held.user_items, indptr), shape=held.shape)
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


def exclusions(
    operation: str, value: InteractionsLike | None, queries: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]] | None:
    """Rows of items that a query must not get."""
    if value is None:
        return None
    held = interactions(operation, value)
    if held.users != queries:
        raise InvalidArgument(f"{operation}: exclude: {held.users} rows: must be as many as queries, {queries}")
    return held.user_offsets, held.user_items


def listed(operation: str, name: str, values: Any) -> Sequence[Any]:
    """A list of graphs, not one graph."""
    if isinstance(values, Graph) or _is_sparse(values):
        raise TypeError(f"{operation}: {name}: must be a list of graphs")
    return list(values)


def matrices(operation: str, name: str, values: Any) -> list[Graph | GraphArrays]:
    """A list of graphs."""
    return [graph(operation, f"{name}[{place}]", value) for place, value in enumerate(listed(operation, name, values))]


def interactions_from_ids(users: Any, items: Any) -> tuple[Interactions, npt.NDArray[Any], npt.NDArray[Any]]:
    """Body of Interactions.from_ids."""
    user_rows, user_ids = _numbered("users", users)
    item_rows, item_ids = _numbered("items", items)
    if len(user_rows) != len(item_rows):
        raise InvalidArgument(
            f"Interactions.from_ids: items: {len(item_rows)} rows: must be as many as users, {len(user_rows)}"
        )
    return Interactions._from_pairs(user_rows, item_rows, len(user_ids), len(item_ids)), user_ids, item_ids


def _numbered(name: str, column: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """The number of each row's id, and the ids by number."""
    if not isinstance(column, np.ndarray):
        try:
            if hasattr(column, "__arrow_c_stream__"):
                return _with_array(_core.number_arrow_stream(name, column.__arrow_c_stream__()))
            if hasattr(column, "__arrow_c_array__"):
                return _with_array(_core.number_arrow_array(name, *column.__arrow_c_array__()))
        except ImportError:  # pandas offers the interface and needs pyarrow for it
            pass
    if isinstance(column, (list, tuple)):
        return _number_objects(name, column)
    array = _vector("Interactions.from_ids", name, column)
    if array.dtype.kind in "OUT":
        return _number_objects(name, array.tolist())
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"Interactions.from_ids: {name}: dtype {array.dtype}: must be integers or strings, none of them missing"
        )
    if array.dtype == np.uint64 and array.size > 0 and int(array.max()) > 2**63 - 1:
        raise InvalidArgument(f"Interactions.from_ids: {name}: {int(array.max())}: must be at most 2^63 - 1")
    return _with_array(_core.number_integers(np.ascontiguousarray(array, dtype=np.int64)))


def _with_array(
    numbered: tuple[npt.NDArray[np.int32], npt.NDArray[np.int64] | list[str]],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    rows, ids = numbered
    return rows, np.array(ids, dtype=object) if isinstance(ids, list) else ids


def _number_objects(name: str, column: Sequence[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    texts = len(column) > 0 and isinstance(column[0], str)
    numbers: dict[str | int, int] = {}
    rows = np.empty(len(column), dtype=np.int32)
    for row, value in enumerate(column):
        if value is None or value != value:  # NaN
            raise InvalidArgument(
                f"Interactions.from_ids: {name}[{row}] = {value!r}: must be an id; drop rows without one"
            )
        if isinstance(value, str) != texts or not (texts or isinstance(value, (int, np.integer))):
            raise TypeError(
                f"Interactions.from_ids: {name}[{row}] = {value!r}: must be {'a str' if texts else 'an int'} as the "
                "ids before it"
                if row
                else f"Interactions.from_ids: {name}[0] = {value!r}: must be an int or a str"
            )
        if not texts and not -(2**63) <= value < 2**63:
            raise InvalidArgument(f"Interactions.from_ids: {name}[{row}] = {value}: must fit into 64 bits")
        rows[row] = numbers.setdefault(value if texts else int(value), len(numbers))
    return rows, np.array(list(numbers), dtype=object if texts else np.int64)
