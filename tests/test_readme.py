"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.readme_tables import with_tables

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_tables_are_those_of_the_resources() -> None:
    """The tables come from the field descriptions: ``make readme`` rewrites them."""
    assert with_tables(README) == README


def test_the_program_is_the_quickstart() -> None:
    """The program that the README shows is the one that ``make demo`` runs."""
    assert blocks("python")[0] == (ROOT / "examples" / "quickstart" / "__main__.py").read_text()


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_are_python(block: str) -> None:
    """What can be copied can be compiled."""
    compile(block, "README.md", "exec")


def test_the_commands_exist() -> None:
    """Each ``make`` command in the README and in CONTRIBUTING is a target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = README + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)$", text, re.MULTILINE))
    assert {one or other for one, other in named} <= targets


def test_the_links_resolve() -> None:
    """A relative link leads to a file."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
