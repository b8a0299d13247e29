"""Type checkers find mistakes in a program before it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_mistakes_are_type_errors(tmp_path: Path) -> None:
    """mypy refuses missing, unknown and wrong arguments, and knows the types of outputs."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
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
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
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
