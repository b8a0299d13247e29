"""The program of the engine tests, and the two services as these tests look at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID, LightdashSimulator, OmniSimulator
from tests.engine.project import Program

Arguments = dict[str, Any]

DBT: Arguments = {
    "connection_id": CONNECTION_ID,
    "ssh_url": "git@github.com:acme/dbt.git",
    "branch": "main",
    "autogen_relationships": True,
    "enable_virtual_schemas": False,
}
ENVIRONMENT: Arguments = {
    "connection_id": {"$output": ["dbt", "connection_id"]},
    "name": "Staging",
    "target_schema": "staging",
    "variables": {"DBT_TARGET": "staging"},
    "secret_variables": {"DBT_TOKEN": {"$secret": "dbt-token-one"}, "PLAIN": "dbt-token-plain"},
}
ROUTE: Arguments = {
    "base_connection_id": CONNECTION_ID,
    "environment_connection_id": STAGING_CONNECTION_ID,
    "user_attribute_values": ["staging"],
}
CONNECTION: Arguments = {
    "type": "github",
    "repository": "acme/dbt",
    "branch": "main",
    "project_sub_path": "/",
    "personal_access_token": {"$secret": "github_pat_one"},
}
SOURCE: Arguments = {"project_uuid": PROJECT_ID, "name": "finance", "dbt_connection": CONNECTION}


NOTHING: Mapping[str, Any] = {}


def program(
    dbt: Mapping[str, Any] = NOTHING,
    environment: Mapping[str, Any] = NOTHING,
    route: Mapping[str, Any] = NOTHING,
    source: Mapping[str, Any] = NOTHING,
) -> Program:
    """The program of these tests, with some arguments changed."""
    return {
        "dbt": ("DbtConfiguration", {**DBT, **dbt}),
        "environment": ("DbtEnvironment", {**ENVIRONMENT, **environment}),
        "route": ("ConnectionEnvironment", {**ROUTE, **route}),
        "source": ("LightdashDbtSource", {**SOURCE, **source}),
    }


def connection(**fields: Any) -> Arguments:
    """The arguments of a source whose connection differs."""
    return {"dbt_connection": {**CONNECTION, **fields}}


class World:
    """What the services have of the program's objects, under the arguments' names; and their web pages."""

    def __init__(self, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
        self.omni, self.lightdash = omni, lightdash

    def environment(self) -> dict[str, Any]:
        """The environment of the program."""
        return next(e for e in self.omni.environments(CONNECTION_ID) if not e["is_default_environment"])

    def route(self) -> dict[str, Any]:
        """The connection environment of the program."""
        (route,) = self.omni.connection_environments()
        return route

    def source(self) -> dict[str, Any]:
        """The source of the program."""
        (source,) = self.lightdash.sources(PROJECT_ID)
        return source

    def holds(self, expected: Program) -> None:
        """Check that the services have what a program says, field by field."""
        dbt, environment, route, source = (
            dict(expected[name][1]) for name in ("dbt", "environment", "route", "source")
        )
        stored = self.omni.dbt_configuration(CONNECTION_ID)
        assert stored == {
            "dbt_version": "Auto",
            "enable_semantic_layer": False,
            "project_root_path": None,
            **{key: value for key, value in dbt.items() if key not in {"connection_id", "rotate_keys_trigger"}},
        }
        secrets = _revealed(environment.pop("secret_variables"))
        variables = environment.pop("variables")
        found = self.environment()
        assert {v["name"]: (v["value"], v["is_secret"]) for v in found["variables"]} == {
            **{name: (value, False) for name, value in variables.items()},
            **{name: (value, True) for name, value in secrets.items()},
        }
        wanted = {"target_database": None, "target_name": None, "target_role": None, "owner_id": None, **environment}
        assert {key: found[key] for key in wanted if key != "connection_id"} == {
            key: value for key, value in wanted.items() if key != "connection_id"
        }
        assert self.route()["user_attribute_values"] == route["user_attribute_values"]
        given = {key: value for key, value in _revealed(source["dbt_connection"]).items() if value is not None}
        if "environment" in given:
            given["environment"] = [{"key": key, "value": value} for key, value in given["environment"].items()]
        kept = self.source()["connection"]
        assert {key: kept[key] for key in given} == given
        assert set(kept) - set(given) <= {"authorization_method", "personal_access_token"}
        assert self.source()["name"] == source["name"]


def _revealed(values: dict[str, Any]) -> dict[str, Any]:
    return {key: v["$secret"] if isinstance(v, dict) and "$secret" in v else v for key, v in values.items()}
