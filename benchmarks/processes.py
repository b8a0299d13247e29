"""Runs a command, and measures its wall time and the peak memory of its provider's process."""

from __future__ import annotations

import contextlib
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.pulumi_cli import restore_interrupts

_PROC = Path("/proc")
_INTERVAL = 0.05
"""Seconds between two readings of the memory."""

MARK = "OMNI_PULUMI_BENCHMARK"
"""An environment variable that tells the processes of a command from those of other commands."""


class Finished(NamedTuple):
    """A command that ended.

    Attributes:
        seconds: wall time.
        processor: processor time of all its processes in seconds. Other load on the machine does not change it much.
        memory: peak resident memory of the provider's process in MB, ``None`` on systems without ``/proc``.
        status: exit status.
        output: stdout and stderr.
    """

    seconds: float
    processor: float
    memory: float | None
    status: int
    output: str


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], provider: str) -> Finished:
    """Run a command and measure it.

    Args:
        command: program and arguments.
        cwd: its folder.
        env: its environment.
        provider: text that is in the command line of the provider's process.
    """
    mark = f"{MARK}={cwd}"
    with tempfile.TemporaryFile("w+") as output:
        started, used = time.monotonic(), _processor_time()
        with subprocess.Popen(  # noqa: S603 - the benchmark defines the commands
            command,
            cwd=cwd,
            env={**env, MARK: str(cwd)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=restore_interrupts,
        ) as process:
            memory = _peak_memory(process, provider, mark)
        seconds = time.monotonic() - started
        output.seek(0)
        return Finished(seconds, _processor_time() - used, memory, process.returncode, output.read())


def _processor_time() -> float:
    """Return the processor time of all processes that ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _peak_memory(process: subprocess.Popen[bytes], provider: str, mark: str) -> float | None:
    """Wait for the end of a process, and return the peak memory of the provider in MB."""
    peak: float | None = None
    found: Path | None = None
    while True:
        try:
            process.wait(_INTERVAL)
        except subprocess.TimeoutExpired:
            found = found or next(_find(provider, mark), None)
            memory = found and _memory(found)
            if memory:
                peak = max(peak or 0.0, memory)
            else:
                found = None
        else:
            return peak


def _find(provider: str, mark: str) -> Iterator[Path]:
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process ended, or belongs to another user
            is_provider = provider.encode() in (folder / "cmdline").read_bytes()
            if is_provider and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield folder


def _memory(process: Path) -> float | None:
    """Return the peak resident memory of a process in MB, ``None`` when it ended."""
    with contextlib.suppress(OSError):
        peak = re.search(r"^VmHWM:\s+(\d+) kB", (process / "status").read_text(), re.MULTILINE)
        return int(peak[1]) / 1000 if peak else None
    return None
