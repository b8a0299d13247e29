"""Arguments of the commands that read Omni and Lightdash: which services, connections, projects and settings."""

from __future__ import annotations

import click

service = click.argument("service", required=False, type=click.Choice(["omni", "lightdash"]))

connection = click.option(
    "--connection", "connections", multiple=True, metavar="NAME_OR_ID", help="Connection of Omni. May be repeated."
)

project = click.option(
    "--project", "projects", multiple=True, metavar="NAME_OR_UUID", help="Project of Lightdash. May be repeated."
)

stack = click.option(
    "--stack", metavar="NAME", help="Stack of the project in this directory, whose configuration has the settings."
)

profile = click.option("--profile", metavar="NAME", help="Profile of the settings, such as eu for OMNI_EU_BASE_URL.")
