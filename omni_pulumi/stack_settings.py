"""The settings of a stack, from ``pulumi config``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from omni_pulumi.errors import ConfigurationError


def configuration(stack: str | None) -> Mapping[str, str]:
    """Return the configuration of a stack of the project in this directory, with decrypted secrets.

    Without a stack it is empty, so that all settings come from the environment.

    Raises:
        ConfigurationError: Pulumi is not installed, or cannot read the stack.
    """
    return _of_stack(stack) if stack is not None else {}


def _of_stack(stack: str) -> Mapping[str, str]:
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive", "--stack", stack]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed arguments
        return {key: str(entry.get("value", "")) for key, entry in json.loads(ended.stdout).items()}
    except FileNotFoundError:
        raise _unreadable("--stack needs the command pulumi, which is not on the PATH.") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()).removeprefix("error: ").rstrip(".")
        raise _unreadable(f"Pulumi cannot read the configuration of stack {stack}: {reason}.") from None
    except (ValueError, AttributeError):
        raise _unreadable(f"Pulumi printed no configuration of stack {stack}.") from None


def _unreadable(message: str) -> ConfigurationError:
    return ConfigurationError(message, settings=("--stack",))
