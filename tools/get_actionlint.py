"""Builds actionlint, the linter of GitHub workflows: `python -m tools.get_actionlint` prints the path of the binary.

actionlint's releases are binaries on GitHub, and its package on PyPI downloads them from there. Networks that allow
only package registries block that download, so actionlint is built from its Go module into the cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.get_engine import (
    EngineError,
    StepFailedError,
    cache_dir,
    find_go,
    go_build,
    go_environment,
    go_module,
    locked,
    log,
    work_dir,
)

MODULE = Path(__file__).resolve().parent / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


def actionlint() -> Path:
    """Return the binary of the version that `tools/actionlint` pins. Build it if the cache does not contain it.

    Raises:
        EngineError: The build failed. The message is the reason.
    """
    version = go_module(MODULE).version.removeprefix("v")
    binary = cache_dir() / "actionlint" / version
    if binary.exists():
        return binary
    try:
        with locked(binary.parent):
            if not binary.exists():
                log(f"building actionlint {version} from its Go module, ten seconds on 2 cores")
                with work_dir(binary) as work:
                    go_build(find_go(work, MODULE), go_environment(work), MODULE, PACKAGE, work)
                    (work / "actionlint").rename(binary)
    except (StepFailedError, OSError) as error:
        raise EngineError(f"Could not build actionlint {version}: {error}") from error
    return binary


if __name__ == "__main__":
    sys.stdout.write(f"{actionlint()}\n")
