"""Reads the files of commands, in the encodings that shells write."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path


def read(file: str) -> str:
    """Return the text of a file, or of stdin for ``-``: UTF-8 or UTF-16, with or without a byte order mark.

    PowerShell writes UTF-16, and ends lines with CRLF. The texts of all commands begin with an ASCII character, which
    has a zero byte in UTF-16.
    """
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in content[:2]:
        encoding = "utf-16-be" if content.startswith(b"\0") else "utf-16-le"
    return content.decode(encoding, errors="replace").replace("\r\n", "\n")
