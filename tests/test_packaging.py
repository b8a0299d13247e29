"""The files and the metadata of a release."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "omni_pulumi"
MODULES = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel, built without network access."""
    folder = tmp_path_factory.mktemp("release")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)], cwd=ROOT, check=True, timeout=60
    )
    return folder


@pytest.fixture(scope="module")
def metadata(release: Path) -> Message:
    """The metadata of the wheel."""
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(wheel.read(name))


def test_source_distribution(release: Path) -> None:
    """The source distribution has the package, its documents and its metadata, without examples and tests."""
    with tarfile.open(next(release.glob("*.tar.gz"))) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    documents = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert files == {*MODULES, "omni_pulumi/py.typed", *documents}


def test_wheel(release: Path) -> None:
    """The wheel has the package with ``py.typed``, and its metadata."""
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == {*MODULES, "omni_pulumi/py.typed"}


def test_extras(metadata: Message) -> None:
    """The extras are those for users. Development tools are no extra."""
    assert set(metadata.get_all("Provides-Extra", [])) == {"simulator", "policies"}


def test_imports_are_declared(metadata: Message) -> None:
    """Each imported distribution is a dependency of the package, or of the extra of the importing module."""
    distributions = packages_distributions()
    for path in PACKAGE.rglob("*.py"):
        folder = path.relative_to(PACKAGE).parts[0]
        extra = folder if folder in {"simulator", "policies"} else ""
        declared = set(declared_names(metadata, extra))
        for name in imported_packages(path) - sys.stdlib_module_names - {"omni_pulumi"}:
            assert {normalized(distribution) for distribution in distributions[name]} & declared, f"{path}: {name}"


def declared_names(metadata: Message, extra: str) -> Iterator[str]:
    """Return the distributions that the package requires, with those of an extra."""
    for requirement in metadata.get_all("Requires-Dist", []):
        if "extra ==" not in requirement or f"extra == '{extra}'" in requirement:
            yield normalized(re.split(r"[^\w.-]", requirement)[0])


def normalized(name: str) -> str:
    """Return the name of a distribution as the package index normalizes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_packages(path: Path) -> set[str]:
    """Return the packages that a module imports, also within functions."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def test_install_commands_name_the_repository() -> None:
    """Every `pip install` of the package in the repository has its Git URL, because the package is not on PyPI."""
    folders = ("omni_pulumi", "policies", "examples", "docs", "tools")
    files = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())]
    lines = [line for path in files if "__pycache__" not in path.parts for line in path.read_text().splitlines()]
    commands = [line for line in lines if re.search(r"pip install .*omni[-_]pulumi", line)]
    assert commands
    assert all("git+" in line for line in commands)
