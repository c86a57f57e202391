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

    def note(self, operation: str, text: str) -> None:
        """Tells what has come out so far."""

    def close(self) -> None:
        """Ends the display."""


# What an operation counts.
UNITS = {"train": "batch"}


class Bars:
    """A tqdm bar an operation."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._operation = ""
        self._bar: Any = None
        self._notes: dict[str, str] = {}

    def __call__(self, operation: str, done: int, total: int) -> None:
        """Moves the bar; another operation gets a bar of its own."""
        if self._bar is None or operation != self._operation or total != self._bar.total:
            self._begin(operation, total)
        if done < self._bar.n:  # another round of the same work
            self._bar.reset()
        self._bar.update(done - self._bar.n)

    def note(self, operation: str, text: str) -> None:
        """Puts the text behind the operation's bar."""
        self._notes[operation] = text
        if self._bar is None or operation != self._operation:
            self._begin(operation, None)
        self._bar.set_postfix_str(text)

    def _begin(self, operation: str, total: int | None) -> None:
        self.close()
        self._operation = operation
        self._bar = self._tqdm(total=total, desc=operation, unit=UNITS.get(operation, "tile"), leave=False)
        self._bar.set_postfix_str(self._notes.get(operation, ""), refresh=False)

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

    def note(self, operation: str, text: str) -> None:
        """Prints a line."""
        print(f"{operation}: {text}", file=sys.stderr)

    def close(self) -> None:
        """Leaves the lines as they are."""


def display() -> Display:
    """Bars if tqdm can be imported, lines otherwise."""
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return Lines()
    return Bars(tqdm)
