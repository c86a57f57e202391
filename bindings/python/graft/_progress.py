"""Progress for a person: a tqdm bar where tqdm is installed, lines otherwise."""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any, Protocol


class Display(Protocol):
    """Shows how far an operation has come."""

    def __call__(self, operation: str, done: int, total: int) -> None:
        """Tells the units done and in all."""

    def close(self) -> None:
        """Ends the display."""


class Bars:
    """A tqdm bar an operation."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._operation = ""
        self._bar: Any = None

    def __call__(self, operation: str, done: int, total: int) -> None:
        """Moves the bar; another operation gets a bar of its own."""
        if self._bar is None or operation != self._operation or total != self._bar.total:
            self.close()
            self._operation = operation
            self._bar = self._tqdm(total=total, desc=operation, unit="tile", leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """A line on stderr every few seconds."""

    INTERVAL = 2.0

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, operation: str, done: int, total: int) -> None:
        """Prints a line unless the last one is recent."""
        now = time.monotonic()
        if now - self._last < self.INTERVAL:
            return
        self._last = now
        print(f"{operation}: {100.0 * done / max(total, 1):.0f}%", file=sys.stderr)

    def close(self) -> None:
        """Leaves the lines as they are."""


def display() -> Display:
    """Bars if tqdm can be imported, lines otherwise."""
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return Lines()
    return Bars(tqdm)
