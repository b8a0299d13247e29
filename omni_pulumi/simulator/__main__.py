"""`python -m omni_pulumi.simulator`: serves a simulated Omni and a simulated Lightdash until Ctrl-C.

Prints their URLs and API keys, then a line for each request. Request lines contain no token and no body.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from omni_pulumi.simulator import GENERATED, LIGHTDASH_VERSIONS, PAGES

if TYPE_CHECKING:
    from omni_pulumi.simulator import LightdashSimulator, OmniSimulator, RecordedRequest

_DIALECTS = {"pages": PAGES, "generated": GENERATED}


def main(arguments: list[str] | None = None) -> int:
    """Run both simulators and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m omni_pulumi.simulator", description="Simulates Omni and Lightdash on local ports."
    )
    parser.add_argument("--omni-port", type=int, default=8800, help="0 chooses a free port (default: %(default)s)")
    parser.add_argument("--lightdash-port", type=int, default=8801, help="0 chooses a free port (default: %(default)s)")
    parser.add_argument(
        "--dialect",
        choices=_DIALECTS,
        default="pages",
        help="which of Omni's API descriptions to follow: documentation pages or generated OpenAPI document",
    )
    parser.add_argument(
        "--lightdash-version",
        choices=LIGHTDASH_VERSIONS,
        default=LIGHTDASH_VERSIONS[0],
        help="which version of Lightdash to simulate (default: %(default)s)",
    )
    options = parser.parse_args(arguments)

    try:
        from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    omni = OmniSimulator(dialect=_DIALECTS[options.dialect], port=options.omni_port, on_request=_request_logger("omni"))
    lightdash = LightdashSimulator(
        version=options.lightdash_version, port=options.lightdash_port, on_request=_request_logger("lightdash")
    )
    with ExitStack() as running:
        try:
            running.enter_context(omni)
            running.enter_context(lightdash)
        except OSError as error:
            sys.stderr.write(
                f"Cannot listen: {error.strerror}. Choose other ports with --omni-port and --lightdash-port.\n"
            )
            return 1
        _print(_summary(omni, lightdash))
        stop.wait()
    return 0


def _summary(omni: OmniSimulator, lightdash: LightdashSimulator) -> str:
    return f"""\
Omni      {omni.url}
Lightdash {lightdash.url}, version {lightdash.version}

export OMNI_BASE_URL={omni.url}
export OMNI_API_KEY={omni.api_key}
export LIGHTDASH_URL={lightdash.url}
export LIGHTDASH_API_KEY={lightdash.api_key}

Omni connections
  {omni.connection_id}  postgres
  {omni.other_connection_id}  postgres
  {omni.staging_connection_id}  postgres, staging
  {omni.development_connection_id}  postgres, development
  {omni.other_dialect_connection_id}  snowflake
  {omni.connection_without_dbt_id}  duckdb, no dbt support
Omni user attributes
  {", ".join(omni.user_attributes)}
Lightdash projects
  {lightdash.project_id}  primary source on GitHub
  {lightdash.other_project_id}  primary source of type none

Ctrl-C stops both."""


def _request_logger(service: str) -> Callable[[RecordedRequest], None]:
    return lambda request: _print(f"{service:9} {request.method:6} {request.path} {request.status}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
