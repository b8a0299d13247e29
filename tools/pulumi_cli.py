"""The Pulumi CLI with everything it writes in one folder: its state, its plugins, its settings."""

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
    """What a command printed, both streams in the order of their lines, and its exit status."""

    output: str
    status: int


class PulumiCli:
    """Runs ``pulumi`` for the project in a folder, on a stack of its own, without an account."""

    def __init__(self, project: Path, *, stack: str = "demo", env: Mapping[str, str] | None = None) -> None:
        """Prepare the commands; ``env`` comes on top of what they need."""
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
            # What runs here needs no plugin; the packages beside it would have theirs downloaded by every command.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }

    def command(self, *arguments: str) -> list[str]:
        """The words of a command."""
        return ["pulumi", "--non-interactive", "--color", "never", *arguments]

    @property
    def env(self) -> Mapping[str, str]:
        """The environment that the commands run in."""
        return self._env

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command, with both its streams in one pipe."""
        return subprocess.Popen(  # noqa: S603 - the commands are this project's own
            self.command(*arguments),
            cwd=self.project,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=hear_interrupts,
        )

    def run(self, *arguments: str) -> Result:
        """Run a command to its end."""
        with self.start(*arguments) as running:
            output, _ = running.communicate()
        return Result(output, running.returncode)

    def must(self, *arguments: str) -> str:
        """Run a command that has to succeed, and return what it printed.

        Raises:
            RuntimeError: it failed; the text is what it printed.
        """
        result = self.run(*arguments)
        if result.status != 0:
            raise RuntimeError(f"pulumi {' '.join(arguments)} ended with {result.status}:\n{result.output}")
        return result.output

    def create_stack(self, config: Mapping[str, str] = {}, secrets: Mapping[str, str] = {}) -> None:
        """Make the stack and set its configuration."""
        self._state.mkdir(parents=True, exist_ok=True)
        self.must("stack", "init", self.stack)
        plain = [part for key, value in config.items() for part in ("--plaintext", f"{key}={value}")]
        secret = [part for key, value in secrets.items() for part in ("--secret", f"{key}={value}")]
        if plain or secret:
            self.must("config", "set-all", *plain, *secret)

    def export(self) -> dict[str, Any]:
        """The stack's state as Pulumi keeps it, secrets encrypted."""
        state: dict[str, Any] = json.loads(self.must("stack", "export"))
        return state


def hear_interrupts() -> None:
    """The engine ends its language host with SIGINT, which a command in the background of a shell would ignore.

    It would then wait five seconds at the end of each command.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
