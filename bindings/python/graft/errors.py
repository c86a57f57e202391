"""Exceptions of graft; each is also the built-in exception that Python programs expect.

A message reads "operation: argument = value: what is allowed".
"""


class Error(Exception):
    """Base of every exception that graft raises on purpose; wrong types are TypeErrors."""


class InvalidArgument(Error, ValueError):
    """An argument has a value that the operation does not accept."""


class IoError(Error, OSError):
    """A file cannot be opened, read, written or renamed."""


class FormatError(Error, ValueError):
    """A file was read but its content is not what its format allows."""


class BackendUnavailable(Error, RuntimeError):
    """The requested device or numeric path is not available here."""


class OutOfMemory(Error, MemoryError):
    """The memory budget is too small, or the system refused an allocation."""


class Cancelled(Error):
    """A CancelToken ended the call; there is no partial result. Ctrl-C raises KeyboardInterrupt."""


class Notice(UserWarning):
    """Something that a person should know and that is no error, as a warning."""
