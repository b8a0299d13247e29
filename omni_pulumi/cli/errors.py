"""The error that a command prints in place of a result."""

from __future__ import annotations


class InputError(Exception):
    """The input is not what the command reads. The message is one line."""
