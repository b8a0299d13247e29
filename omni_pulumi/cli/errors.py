"""The error that a command prints in place of a result."""

from __future__ import annotations


class InputError(Exception):
    """The input is not what the command reads. The message is one line."""


class EmptyPreviewError(InputError):
    """Pulumi failed before the preview started."""


class PartialResultError(InputError):
    """The input can only be read in part, and the command writes a result that says so.

    Attributes:
        result: what the command writes.
    """

    def __init__(self, message: str, result: str) -> None:
        """Create an error with what the command writes."""
        super().__init__(message)
        self.result = result
