"""Type checkers find mistakes in a program before it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic.alias_generators import to_snake

from tests.catalogue import SAMPLES

pytestmark = pytest.mark.slow

PROGRAM = """
from omni_pulumi import DbtEnvironment, GithubConnection, LightdashDbtSource, get_connection, get_connection_output

environment = DbtEnvironment("a", connection_id="a", name="b", target_schema="c", variables={"a": "b"}, adopt=True)
DbtEnvironment("missing", connection_id=environment.connection_id, name="b")
DbtEnvironment("type", connection_id="a", name="b", target_schema=3)
DbtEnvironment("name", connection_id="a", name="b", target_schema="c", target_table="d")
DbtEnvironment("adopt", connection_id="a", name="b", target_schema="c", adopt="always")
connection = GithubConnection(repository="a", branch="b")
LightdashDbtSource("connection", project_uuid="a", name="b", dbt_connection="github")
reveal_type(environment.target_database)
get_connection(name=environment.name)
get_connection_output(title=environment.name)
reveal_type(get_connection(name="a").default_schema)
reveal_type(get_connection_output(name=environment.name))
"""


OPTIONAL = """
import os

from omni_pulumi import *


def copy(environment: DbtEnvironment, token: str | None) -> None:
    found = get_dbt_environment_output(connection_id="a", name="b", owner_id=environment.owner_id)
    get_connections_output(dialect=get_connection_output(name="a").dialect)
    GithubConnection(repository="a", branch="b", project_sub_path="c", target=found.target_name)
    NoneConnection(target=environment.target_name, environment=environment.variables)
    GithubConnection(repository="a", branch="b", project_sub_path="c", personal_access_token=token)
    DbtEnvironment("a", connection_id="a", name="b", target_schema="c", variables={"A": token})
"""


def _copies() -> str:
    """Return a function for each resource that passes all outputs of one as the arguments of another one."""
    return "".join(
        f"\n\ndef copy_{name}(it: {name}) -> None:\n    {name}('copy', "
        f"{', '.join(f'{to_snake(each)}=it.{to_snake(each)}' for each in sample.complete)})\n"
        for name, sample in SAMPLES.items()
    )


def _mypy(tmp_path: Path, text: str) -> list[str]:
    """Return what mypy prints about a program."""
    program = tmp_path / "program.py"
    program.write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        str(tmp_path),
        str(program),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def test_optional_outputs_are_arguments(tmp_path: Path) -> None:
    """mypy accepts all outputs of a resource or lookup as arguments, also optional ones. It refuses a plain ``None``.

    It refuses one only where ``None`` is an error: in a map, and in a connection.
    """
    lines = _mypy(tmp_path, OPTIONAL + _copies())
    assert [int(line.split(":")[1]) for line in lines if ": error: " in line] == [12, 13], lines


def test_mistakes_are_type_errors(tmp_path: Path) -> None:
    """mypy refuses missing, unknown and wrong arguments, and knows the types of outputs."""
    lines = _mypy(tmp_path, PROGRAM)
    errors = {int(line.split(":")[1]): line for line in lines if ": error: " in line}
    assert errors.keys() == {5, 6, 7, 8, 9, 10, 12, 13}
    assert [
        number
        for number, name in {5: "target_schema", 7: "target_table", 9: "sub_path"}.items()
        if name not in errors[number]
    ] == []
    revealed = [line for line in lines if ": note: Revealed type" in line]
    assert [
        line
        for line, text in zip(
            revealed, ("Output[str | None]", '"str | None"', "lookups.GetConnectionResult]"), strict=True
        )
        if text not in line
    ] == []
