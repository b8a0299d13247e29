"""The picture of a terminal is well-formed, self-contained and the same in each run."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.terminal import terminal_svg

OUTPUT = (
    "\x1b[38;5;13m\x1b[1mPreviewing update (demo):\x1b[0m\n"
    "\x1b[0m    \x1b[38;5;3m~ a:b:C: (update)\n"
    "\x1b[0m        [id=bd3c6391]\n"
    "\x1b[0m\x1b[0m        [urn=urn:pulumi:demo::shop::a:b:C::<d&e>]\n"
    "\x1b[38;5;3m      ~ x: \x1b[38;5;1m1\x1b[0m => \x1b[38;5;2m2\n"
    "Duration: 2s\n"
)


def texts(svg: str) -> list[str]:
    """Returns all visible texts."""
    return ["".join(e.itertext()).replace("\xa0", " ") for e in ET.fromstring(svg).iter() if e.tag.endswith("text")]


def test_colours_and_lines() -> None:
    """The picture has the output's colours, without IDs and the duration, and loads nothing."""
    svg = terminal_svg(OUTPUT, title="a <preview> & more")
    assert set(re.findall(r"https?://[^\s\"']+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in svg
    visible = "\n".join(texts(svg))
    assert "a <preview> & more" in visible
    assert "~ a:b:C: (update)" in visible
    assert "C::<d&e>]" in visible
    assert "[id=" not in visible
    assert "Duration" not in visible
    assert {"#ff7b72", "#3fb950", "#d29922"} <= set(re.findall(r"fill: (#\w+)", svg))
    assert svg == terminal_svg(OUTPUT, title="a <preview> & more")


def test_long_lines() -> None:
    """A long line is folded."""
    svg = terminal_svg("word " * 100, title="x")
    width = re.search(r'width="(\d+)"', svg)
    assert width is not None
    assert int(width[1]) < 1_600
    assert " ".join(texts(svg)).split().count("word") == 100


@given(text=st.text(st.characters(exclude_categories=["Cs"])), title=st.text(st.characters(exclude_categories=["Cs"])))
def test_well_formed(text: str, title: str) -> None:
    """The picture is well-formed XML for any output and title."""
    ET.fromstring(terminal_svg(f"x{text}", title=title))


@pytest.mark.parametrize("text", ["", "\n", "\x1b[0m", "Duration: 2s"])
def test_empty_output(text: str) -> None:
    """Without output there is no picture."""
    with pytest.raises(ValueError, match="preview --diff"):
        terminal_svg(text, title="x")
