"""What a release holds, and what it says about itself."""

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
    """A folder with the source distribution and the wheel, built without a network."""
    folder = tmp_path_factory.mktemp("release")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)], cwd=ROOT, check=True, timeout=60
    )
    return folder


@pytest.fixture(scope="module")
def metadata(release: Path) -> Message:
    """The wheel's metadata."""
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(wheel.read(name))


def test_source_distribution(release: Path) -> None:
    """The source distribution holds the package and its papers, and no part of the examples or the tests."""
    with tarfile.open(next(release.glob("*.tar.gz"))) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    papers = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert files == {*MODULES, "omni_pulumi/py.typed", *papers}


def test_wheel(release: Path) -> None:
    """The wheel holds the package, the mark that it is typed, and its metadata."""
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == {*MODULES, "omni_pulumi/py.typed"}


def test_extras(metadata: Message) -> None:
    """Users are offered what they can use; the tools of the developers are no extra."""
    assert set(metadata.get_all("Provides-Extra", [])) == {"simulator", "policies"}


def test_imports_are_declared(metadata: Message) -> None:
    """Each import of another distribution is a dependency, or one of the extra that the importing module needs."""
    distributions = packages_distributions()
    for path in PACKAGE.rglob("*.py"):
        extra = "simulator" if path.relative_to(PACKAGE).parts[0] == "simulator" else ""
        declared = set(declared_names(metadata, extra))
        for name in imported_packages(path) - sys.stdlib_module_names - {"omni_pulumi"}:
            assert {normalized(each) for each in distributions[name]} & declared, f"{path}: {name}"


def declared_names(metadata: Message, extra: str) -> Iterator[str]:
    """The distributions that the package requires, with those of an extra."""
    for requirement in metadata.get_all("Requires-Dist", []):
        if "extra ==" not in requirement or f"extra == '{extra}'" in requirement:
            yield normalized(re.split(r"[^\w.-]", requirement)[0])


def normalized(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_packages(path: Path) -> set[str]:
    """The packages that a module imports, wherever in the file."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def test_nobody_is_told_to_install_it_from_the_index() -> None:
    """The package is not on PyPI, where its name may be anybody's: every `pip install` of it names the repository."""
    folders = ("omni_pulumi", "policies", "examples", "docs", "tools")
    files = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())]
    lines = [line for path in files if "__pycache__" not in path.parts for line in path.read_text().splitlines()]
    commands = [line for line in lines if re.search(r"pip install .*omni[-_]pulumi", line)]
    assert commands
    assert all("git+" in line for line in commands)
