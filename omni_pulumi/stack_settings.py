"""The settings of a stack, from ``pulumi config``."""

from __future__ import annotations

import json
import subprocess

from omni_pulumi.errors import ConfigurationError
from omni_pulumi.settings import Config


def configuration(stack: str | None) -> Config:
    """Return the configuration of a stack of the project in this directory, with decrypted secrets.

    Without a stack it is empty, so that all settings come from the environment.

    Raises:
        ConfigurationError: Pulumi is not installed, or cannot read the stack.
    """
    return _of_stack(stack) if stack is not None else lambda _key: None


def _of_stack(stack: str) -> Config:
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive", "--stack", stack]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed arguments
        values = {key: str(entry.get("value", "")) for key, entry in json.loads(ended.stdout).items()}
    except FileNotFoundError:
        raise _unreadable("--stack needs the command pulumi, which is not on the PATH.") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()).removeprefix("error: ").rstrip(".")
        raise _unreadable(f"Pulumi cannot read the configuration of stack {stack}: {reason}.") from None
    except (ValueError, AttributeError):
        raise _unreadable(f"Pulumi printed no configuration of stack {stack}.") from None
    return values.get


def _unreadable(message: str) -> ConfigurationError:
    return ConfigurationError(message, settings=("--stack",))
