"""What a command says instead of a result."""

from __future__ import annotations


class InputError(Exception):
    """The input is not what the command reads, or a package that it needs is missing; the text is one line."""
