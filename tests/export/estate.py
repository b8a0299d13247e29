"""An estate of Omni and Lightdash that people made by hand, with names that programs find hard."""

from __future__ import annotations

from omni_pulumi.simulator import OTHER_USER_ID, PROJECT_ID, USER_ID, LightdashSimulator, OmniSimulator

TOKENS = {
    "in a secret variable": "hidden-value-of-a-variable",
    "in a plain variable": "plain-value-of-a-token",
    "by its value": "ghp_0123456789abcdefghij",
    "in a URL": "hidden-password-of-a-url",
    "of Lightdash": "ghp_abcdefghij0123456789",
    "in an environment of Lightdash": "hidden-token-of-dbt",
}
"""Texts that are in no file and no output."""

CONNECTIONS = [
    "Analytics",
    "Analytics!",
    "2024 archive",
    "class",
    "Types",
    "pulumi",
    "Überblick \N{EN DASH} Sat\N{LATIN SMALL LETTER DOTLESS I}ş",
    "аналитика",
    'The "old" one\\',
    'It\'s both "quotes"',
    "Token sales",
    "",
    "Sales\n(new)",
    "x" * 200,
    "a long name " * 12,
]
ENVIRONMENTS = [
    "Staging 3",
    "staging-3",
    "for",
    "None",
    "PR_17",
    "live",
    'say "hi"',
    "tab\tand \N{RIGHT-TO-LEFT OVERRIDE} override",
    "日本語",
]
SOURCE = {
    "type": "github",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "authorization_method": "personal_access_token",
    "personal_access_token": TOKENS["of Lightdash"],
}


def fill_omni(omni: OmniSimulator, *, connections: int = len(CONNECTIONS), environments: int = 0) -> list[str]:
    """Create connections with dbt and environments, and return the IDs of the connections.

    Args:
        omni: the simulator.
        connections: how many connections. Those without a name in :data:`CONNECTIONS` get a number.
        environments: how many dbt environments each connection has besides those of the first one.
    """
    names = [*CONNECTIONS, *(f"Warehouse {number}" for number in range(len(CONNECTIONS), connections))][:connections]
    ids = [omni.add_connection(name) for name in names]
    for number, connection in enumerate(ids):
        omni.configure_dbt(connection, ssh_url=f"git@github.com:acme/dbt_{number}.git", branch="main")
        for environment in range(environments):
            omni.add_environment(connection, name=f"Team {environment}", target_schema=f"team_{environment}")
    first = ids[0]
    for name in ENVIRONMENTS:
        omni.add_environment(first, name=name, target_schema="a", target_role="", target_name="dev")
    for owner in (USER_ID, OTHER_USER_ID):
        omni.add_environment(first, name="Staging 3", target_schema="mine", owner_id=owner)
    add_secrets(omni, first)
    omni.set_environment_user_attribute(first, "environment", ["production"])
    omni.add_connection_environment(first, ids[1], ["staging", "dev"])
    return ids


def add_secrets(omni: OmniSimulator, connection: str) -> str:
    """Create a dbt environment with variables that are secret, or look like it, and return its ID."""
    secrets = omni.add_environment(connection, name="Secrets", target_schema="s")
    omni.set_variable(secrets, "DBT_TARGET", "plain")
    omni.set_variable(secrets, "EMPTY", "")
    omni.set_variable(secrets, "GLOB[*]", TOKENS["in a secret variable"], is_secret=True)
    omni.set_variable(secrets, "GLOBb", "not matched")
    omni.set_variable(secrets, "DBT_TOKEN", TOKENS["in a plain variable"])
    omni.set_variable(secrets, "HARMLESS", TOKENS["by its value"])
    return secrets


def fill_lightdash(lightdash: LightdashSimulator, *, projects: int = 3) -> list[str]:
    """Create projects with a dbt source each, one with several, and return the UUIDs of the projects."""
    names = ["Jaffle shop", "jaffle-shop", "import", *(f"Project {number}" for number in range(3, projects))][:projects]
    ids = [lightdash.add_project(name) for name in names]
    for project in ids:
        lightdash.add_source(project, "finance", SOURCE)
    app = {**SOURCE, "authorization_method": "installation_id", "installation_id": "1234", "host_domain": "git.acme.io"}
    environment = [{"key": "DBT_SCHEMA", "value": "a"}, {"key": "EMPTY", "value": ""}]
    lightdash.add_source(PROJECT_ID, "app", {**app, "target": "prod", "environment": environment})
    token = {"key": "DBT_TOKEN", "value": TOKENS["in an environment of Lightdash"]}
    lightdash.add_source(PROJECT_ID, "token", {**SOURCE, "environment": [token]})
    return ids
