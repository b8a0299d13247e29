"""actionlint, the linter of GitHub workflows: `python -m tools.get_actionlint` prints the path of the binary.

Its releases are binaries on GitHub, and its package on PyPI downloads them, which a network that reaches package
registries alone does not let through. So it is built from its Go module, ten seconds once, and kept in the cache.
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
    say,
    work_dir,
)

MODULE = Path(__file__).resolve().parent / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


def actionlint() -> Path:
    """Return the binary; build it when the cache holds none of the version that `tools/actionlint` pins.

    Raises:
        EngineError: It could not be built; the text says why.
    """
    version = go_module(MODULE).version.removeprefix("v")
    binary = cache_dir() / "actionlint" / version
    if binary.exists():
        return binary
    try:
        with locked(binary.parent):
            if not binary.exists():
                say(f"building actionlint {version} from its Go module, ten seconds on 2 cores")
                with work_dir(binary) as work:
                    go_build(find_go(work, MODULE), go_environment(work), MODULE, PACKAGE, work)
                    (work / "actionlint").rename(binary)
    except (StepFailedError, OSError) as error:
        raise EngineError(f"Could not build actionlint {version}: {error}") from error
    return binary


if __name__ == "__main__":
    sys.stdout.write(f"{actionlint()}\n")
