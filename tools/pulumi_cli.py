"""Runs the Pulumi CLI with its state, plugins and settings in the folder of the project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tools.get_engine import engine_bin_dir, engine_path


class Result(NamedTuple):
    """The output of a command, stdout and stderr interleaved, and its exit status."""

    output: str
    status: int


class PulumiCli:
    """Runs ``pulumi`` for the project in a folder, with a local backend. Needs no account."""

    def __init__(self, project: Path, *, stack: str = "demo", env: Mapping[str, str] | None = None) -> None:
        """Prepare the environment of the commands. ``env`` adds variables to it."""
        self.project = project
        self.stack = stack
        self._state = project / ".pulumi-state"
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "VIRTUAL_ENV"))},
            "PATH": engine_path(engine_bin_dir()),
            "PULUMI_HOME": str(project / ".pulumi-home"),
            "PULUMI_BACKEND_URL": self._state.as_uri(),
            "PULUMI_STACK": stack,
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for a stack that is thrown away",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            # The programs need no plugins. Without this, every command downloads those of all installed packages.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }

    def command(self, *arguments: str) -> list[str]:
        """Return the arguments of a process that runs a command."""
        return ["pulumi", "--non-interactive", "--color", "never", *arguments]

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of the commands."""
        return self._env

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, with stdout and stderr in one pipe."""
        return subprocess.Popen(  # noqa: S603 - this project defines the commands
            self.command(*arguments),
            cwd=self.project,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=restore_interrupts,
        )

    def run(self, *arguments: str) -> Result:
        """Run a command and wait for its end."""
        with self.start(*arguments) as running:
            output, _ = running.communicate()
        return Result(output, running.returncode)

    def must(self, *arguments: str) -> str:
        """Run a command and return its output.

        Raises:
            RuntimeError: the command failed. The message contains its output.
        """
        result = self.run(*arguments)
        if result.status != 0:
            raise RuntimeError(f"pulumi {' '.join(arguments)} failed with status {result.status}:\n{result.output}")
        return result.output

    def create_stack(self, config: Mapping[str, str] = {}, secrets: Mapping[str, str] = {}) -> None:
        """Create the stack and set its configuration."""
        self._state.mkdir(parents=True, exist_ok=True)
        self.must("stack", "init", self.stack)
        plain = [part for key, value in config.items() for part in ("--plaintext", f"{key}={value}")]
        secret = [part for key, value in secrets.items() for part in ("--secret", f"{key}={value}")]
        if plain or secret:
            self.must("config", "set-all", *plain, *secret)

    def export(self) -> dict[str, Any]:
        """Return the state of the stack as JSON, with encrypted secrets."""
        state: dict[str, Any] = json.loads(self.must("stack", "export"))
        return state


def restore_interrupts() -> None:
    """Reset the handler of SIGINT in a new process.

    The engine stops its language host with SIGINT. A background job of a shell ignores SIGINT, and each command would
    wait five seconds for the language host.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
