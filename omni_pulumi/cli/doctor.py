"""The command ``omni-pulumi doctor``."""

from __future__ import annotations

from typing import Any

import click

from omni_pulumi.cli import selection
from omni_pulumi.cli.base import Command


@click.command(
    "doctor",
    cls=Command,
    examples={
        "omni-pulumi doctor": "each service that has a URL in the environment",
        "omni-pulumi doctor omni --connection Warehouse": "what the key may do on one connection",
        "omni-pulumi doctor --stack prod": "the settings of a stack",
        "omni-pulumi doctor --json": "the results for a script",
        "omni-pulumi doctor omni --report > report.json": "what to attach to an issue about an Omni instance",
    },
)
@selection.service
@selection.connection
@selection.project
@selection.stack
@selection.profile
@click.option("--json", is_flag=True, help="Write the results to stdout as JSON.")
@click.option(
    "--report", is_flag=True, help="Write the form of the responses to stdout as JSON, without names, IDs and URLs."
)
def command(**options: Any) -> int:
    """Check settings, network and keys.

    Shows for each service whether it can be reached, what the key may do, and what to do about each problem. Sends a
    few GET requests and changes nothing. Without --connection or --project, it checks the first ten of each.

    Exit status: 0 without a problem, 1 with one, 2 if the arguments are invalid or the stack cannot be read, 130 when
    interrupted.
    """
    if options["report"] and options["json"]:
        raise click.UsageError("--report writes JSON. Leave out: --json.")
    from omni_pulumi.doctor.command import Options, doctor
    from omni_pulumi.selection import Selection

    return doctor(
        Options(
            service=options["service"],
            selection=Selection(
                connections=options["connections"], projects=options["projects"], profile=options["profile"]
            ),
            stack=options["stack"],
            as_json=options["json"],
            as_report=options["report"],
        )
    )
