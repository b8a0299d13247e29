"""The settings of a stack, from ``pulumi config``."""

from __future__ import annotations

import json
import subprocess

from omni_pulumi.export.objects import ExportError
from omni_pulumi.settings import Config


def from_environment(_key: str) -> str | None:
    """Return nothing, so that all settings come from the environment."""
    return None


def of_stack(stack: str) -> Config:
    """Return the configuration of a stack of the project in this directory, with decrypted secrets.

    Raises:
        ExportError: Pulumi is not installed, or cannot read the stack.
    """
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive", "--stack", stack]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed arguments
        values = {key: str(entry.get("value", "")) for key, entry in json.loads(ended.stdout).items()}
    except FileNotFoundError:
        raise ExportError("--stack needs the command pulumi, which is not on the PATH.") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()).removeprefix("error: ").rstrip(".")
        raise ExportError(f"Pulumi cannot read the configuration of stack {stack}: {reason}.") from None
    except (ValueError, AttributeError):
        raise ExportError(f"Pulumi printed no configuration of stack {stack}.") from None
    return values.get
