"""The simulated services, as the engine tests read and assert them."""

from __future__ import annotations

from typing import Any

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, LightdashSimulator, OmniSimulator
from tests.engine.project import Program


class Services:
    """The objects of the tests' program in both services.

    Attributes:
        omni: the simulated Omni.
        lightdash: the simulated Lightdash.
    """

    def __init__(self, omni: OmniSimulator, lightdash: LightdashSimulator) -> None:
        self.omni, self.lightdash = omni, lightdash

    def environment(self) -> dict[str, Any]:
        """Return the dbt environment of the program."""
        return next(e for e in self.omni.environments(CONNECTION_ID) if not e["is_default_environment"])

    def connection_environment(self) -> dict[str, Any]:
        """Return the connection environment of the program."""
        (connection_environment,) = self.omni.connection_environments()
        return connection_environment

    def source(self) -> dict[str, Any]:
        """Return the dbt source of the program."""
        (source,) = self.lightdash.sources(PROJECT_ID)
        return source

    def assert_matches(self, expected: Program) -> None:
        """Assert that the objects in the services have each field as a program declares it."""
        dbt, environment, route, source = (
            dict(expected[name][1]) for name in ("dbt", "environment", "route", "source")
        )
        configuration = self.omni.dbt_configuration(CONNECTION_ID)
        assert configuration == {
            "dbt_version": "Auto",
            "enable_semantic_layer": False,
            "project_root_path": None,
            **{key: value for key, value in dbt.items() if key not in {"connection_id", "rotate_keys_trigger"}},
        }
        secrets = _plain(environment.pop("secret_variables"))
        variables = environment.pop("variables")
        stored_environment = self.environment()
        assert {v["name"]: (v["value"], v["is_secret"]) for v in stored_environment["variables"]} == {
            **{name: (value, False) for name, value in variables.items()},
            **{name: (value, True) for name, value in secrets.items()},
        }
        fields = {"target_database": None, "target_name": None, "target_role": None, "owner_id": None, **environment}
        assert {key: stored_environment[key] for key in fields if key != "connection_id"} == {
            key: value for key, value in fields.items() if key != "connection_id"
        }
        assert self.connection_environment()["user_attribute_values"] == route["user_attribute_values"]
        declared = {key: value for key, value in _plain(source["dbt_connection"]).items() if value is not None}
        if "environment" in declared:
            declared["environment"] = [{"key": key, "value": value} for key, value in declared["environment"].items()]
        connection = self.source()["connection"]
        assert {key: connection[key] for key in declared} == declared
        assert set(connection) - set(declared) <= {"authorization_method", "personal_access_token"}
        assert self.source()["name"] == source["name"]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of arguments, with secrets as plain text."""
    return {key: v["$secret"] if isinstance(v, dict) and "$secret" in v else v for key, v in values.items()}
