"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni_pulumi.api.instance import Instance
from omni_pulumi.settings import LIGHTDASH, OMNI
from tools.readme_tables import with_tables

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


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
    named = set(re.findall(r"(?:`|\(|^)make ([a-z]+)", README + CONTRIBUTING, re.MULTILINE))
    assert {"demo", "test", "readme"} <= named <= targets


def test_the_links_resolve() -> None:
    """A relative link leads to a file."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README + CONTRIBUTING) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_settings_are_those_of_the_code() -> None:
    """The limits that the README names are the defaults, under the names that are read."""
    assert f"Default: {OMNI.requests_per_minute} for Omni, unlimited for Lightdash" in README
    assert LIGHTDASH.requests_per_minute is None
    seconds = (Instance.connect_timeout, Instance.read_timeout, Instance.total_timeout)
    assert "seconds: {:.0f}, {:.0f}, {:.0f}".format(*seconds) in README
    config = {"omni:baseUrl": "https://x.omniapp.co", "omni:apiKey": "key"}
    for value, name in enumerate(("requestsPerMinute", "connectTimeout", "readTimeout", "totalTimeout"), start=7):
        assert f"`{name}`" in README or f"`omni:{name}`" in README
        field = re.sub(r"(?=[A-Z])", "_", name).lower()
        instance = OMNI.instance({**config, f"omni:{name}": str(value)}.get, None)
        assert getattr(instance, field) == value


def test_the_folders_exist() -> None:
    """What CONTRIBUTING says is in a folder or a file, is there."""
    paths = re.findall(r"^\| `([\w./]+)` \|", CONTRIBUTING, re.MULTILINE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
