"""How and where a call runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graft import _core, _progress
from graft._core import CancelToken
from graft._types import Backend, NumericPath, ProgressCallback

DEFAULT_MEMORY_BUDGET = 64 << 20
DEFAULT_DEVICE_MEMORY_BUDGET = 4 << 30


@dataclass(frozen=True)
class Context:
    """How a call runs. Nothing here changes a result, but `path` its last bits.

    The functions take one as `context=`, and `threads=` and `progress=` beside it, which go before the context's; those
    that a device has take `backend=`, too.
    Ctrl-C cancels a call whatever its context.

    Attributes:
        threads: worker threads; 0 = one a core.
        memory_budget: workspace in bytes beyond inputs and outputs; an operator that cannot work within it raises
            OutOfMemory and names the least it needs.
        path: forces the numeric path; BackendUnavailable where this processor lacks it.
        progress: True shows a bar (tqdm where it is installed), a callable is called at most about 10 times a second,
            on the calling thread, with (operation, done, total); what it raises ends the call and is raised.
        cancel: cancel it from another thread to end the call with graft.Cancelled.
        backend: "cpu"; "cuda", where a missing library, driver or device raises BackendUnavailable; "auto" takes the
            device where it is there and the work is big enough.
        device: CUDA ordinal of the device.
        device_memory_budget: bytes on the device, inputs too.

    >>> import graft
    >>> graft.Context(threads=2, memory_budget=256 << 20).threads
    2
    """

    threads: int = 0
    memory_budget: int = DEFAULT_MEMORY_BUDGET
    path: NumericPath = "automatic"
    progress: bool | ProgressCallback | None = None
    cancel: CancelToken | None = None
    backend: Backend = "cpu"
    device: int = 0
    device_memory_budget: int = DEFAULT_DEVICE_MEMORY_BUDGET


def backend_of(context: Context | None, backend: Backend | None) -> Backend:
    """Where a call with these runs."""
    if backend is not None:
        return backend
    return "cpu" if context is None else context.backend


@contextmanager
def running(
    context: Context | None,
    threads: int | None,
    progress: bool | ProgressCallback | None,
    backend: Backend | None = None,
) -> Iterator[_core.CallSettings]:
    """Settings of a call; a progress display lives as long as the call."""
    if context is None:
        context = Context()
    elif not isinstance(context, Context):
        raise TypeError(f"context = {context!r}: must be a graft.Context")
    if progress is None:
        progress = context.progress
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise TypeError(f"progress = {progress!r}: must be True, False, None or callable(operation, done, total)")
    values = {
        "threads": context.threads if threads is None else threads,
        "memory_budget": context.memory_budget,
        "path": context.path,
        "backend": backend_of(context, backend),
        "device": context.device,
        "device_memory_budget": context.device_memory_budget,
    }
    if progress is not True:
        yield _core.CallSettings(values, context.cancel, progress or None)
        return
    display = _progress.display()
    try:
        yield _core.CallSettings(values, context.cancel, display)
    finally:
        display.close()


def numeric_path(context: Context | None = None) -> NumericPath:
    """The numeric path that a call with this context takes: "baseline", "avx2" or "avx512".

    Raises:
        BackendUnavailable: the context forces a path that this processor lacks.
    """
    with running(context, None, None) as settings:
        return _core.resolve_numeric_path(settings)
