"""The simulated services, as the engine tests read and assert them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, LightdashSimulator, OmniSimulator
from tests.engine.programs import Arguments
from tests.engine.project import Program

_TRIGGERS = frozenset({"rotate_keys_trigger", "secrets_trigger"})
"""The arguments that no service stores."""


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

    def create(self, program: Program) -> dict[str, str]:
        """Create the objects of a program outside Pulumi, and return their IDs by the names of the resources."""
        create = {
            "DbtConfiguration": self._create_configuration,
            "DbtEnvironment": self._create_environment,
            "ConnectionEnvironment": self._create_connection_environment,
            "ConnectionEnvironmentAttribute": self._create_attribute,
            "LightdashDbtSource": self._create_source,
        }
        return {name: create[kind](dict(arguments)) for name, (kind, arguments) in program.items()}

    def _create_configuration(self, arguments: Arguments) -> str:
        fields = {name: value for name, value in arguments.items() if name not in {"connection_id", *_TRIGGERS}}
        self.omni.configure_dbt(CONNECTION_ID, **fields)
        return CONNECTION_ID

    def _create_environment(self, arguments: Arguments) -> str:
        variables = arguments.get("variables", {})
        secrets = _plain(arguments.get("secret_variables", {}))
        created = self.omni.add_environment(CONNECTION_ID, **_environment_fields(arguments))
        for name, value in {**variables, **secrets}.items():
            self.omni.set_variable(created, name, value, is_secret=name in secrets)
        return created

    def _create_connection_environment(self, arguments: Arguments) -> str:
        return self.omni.add_connection_environment(
            arguments["base_connection_id"], arguments["environment_connection_id"], arguments["user_attribute_values"]
        )

    def _create_attribute(self, arguments: Arguments) -> str:
        self.omni.set_environment_user_attribute(**arguments)
        return str(arguments["connection_id"])

    def _create_source(self, arguments: Arguments) -> str:
        connection = {"authorization_method": "personal_access_token", **_connection(arguments)}
        return self.lightdash.add_source(PROJECT_ID, arguments["name"], connection)

    def assert_matches(self, expected: Program) -> None:
        """Assert that the objects in the services have each field as a program declares it."""
        declared = {kind: dict(arguments) for kind, arguments in expected.values()}
        configuration = declared["DbtConfiguration"]
        assert self.omni.dbt_configuration(CONNECTION_ID) == {
            "dbt_version": "Auto",
            "enable_semantic_layer": False,
            "project_root_path": None,
            **{key: value for key, value in configuration.items() if key not in {"connection_id", *_TRIGGERS}},
        }
        environment, stored = declared["DbtEnvironment"], self.environment()
        assert {v["name"]: (v["value"], v["is_secret"]) for v in stored["variables"]} == {
            **{name: (value, False) for name, value in environment["variables"].items()},
            **{name: (value, True) for name, value in _plain(environment["secret_variables"]).items()},
        }
        fields = {"target_database": None, "target_name": None, "target_role": None, "owner_id": None}
        fields |= _environment_fields(environment)
        assert {key: stored[key] for key in fields} == fields
        route = declared["ConnectionEnvironment"]
        assert self.connection_environment()["user_attribute_values"] == route["user_attribute_values"]
        if attribute := declared.get("ConnectionEnvironmentAttribute"):
            found = self.omni.environment_user_attribute(attribute.pop("connection_id"))
            assert found == attribute
        source = declared["LightdashDbtSource"]
        sent, connection = _connection(source), self.source()["connection"]
        assert {key: connection[key] for key in sent} == sent
        assert set(connection) - set(sent) <= {"authorization_method", "personal_access_token"}
        assert self.source()["name"] == source["name"]


def _environment_fields(arguments: Mapping[str, Any]) -> Arguments:
    """Return the fields of a dbt environment, without its variables."""
    others = {"connection_id", "variables", "secret_variables", "unmanaged_variables", *_TRIGGERS}
    return {name: value for name, value in arguments.items() if name not in others}


def _connection(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared fields of the connection of a dbt source, as Lightdash stores them."""
    declared = {key: value for key, value in _plain(arguments["dbt_connection"]).items() if value is not None}
    if "environment" in declared:
        declared["environment"] = [{"key": key, "value": value} for key, value in declared["environment"].items()]
    return declared


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of arguments, with secrets as plain text."""
    return {key: v["$secret"] if isinstance(v, dict) and "$secret" in v else v for key, v in values.items()}
