"""Builds actionlint, the linter of GitHub workflows: `python -m tools.get_actionlint` prints the path of the binary.

actionlint's releases are binaries on GitHub, and its package on PyPI downloads them from there. Networks that allow
only package registries block that download, so actionlint is built from its Go module into the cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.get_engine import build_in_cache, cache_dir, find_go, go_build, go_environment, go_module

MODULE = Path(__file__).resolve().parent / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


def actionlint() -> Path:
    """Return the binary of the version that `tools/actionlint` pins. Build it if the cache does not contain it.

    Raises:
        EngineError: The build failed. The message is the reason.
    """
    version = go_module(MODULE).version.removeprefix("v")
    return build_in_cache(
        cache_dir() / "actionlint" / version,
        _build,
        announcement=f"building actionlint {version} from its Go module, ten seconds on 2 cores",
        failure=f"Could not build actionlint {version}",
    )


def _build(work: Path) -> Path:
    go_build(find_go(work, MODULE), go_environment(work), MODULE, PACKAGE, work)
    return work / "actionlint"


if __name__ == "__main__":
    sys.stdout.write(f"{actionlint()}\n")
