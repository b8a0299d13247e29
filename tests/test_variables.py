"""Variables of dbt environments: what an update sends for declared, unmanaged, retained and unknown variables."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.api.omni.models import Variable
from omni_pulumi.resources.dbt_environment import DbtEnvironmentArgs, DbtEnvironmentState
from omni_pulumi.simulator import CONNECTION_ID
from omni_pulumi.variables import SET_IN_OMNI, WAS_SECRET, plan_update, undeclared

IN_OMNI = [
    Variable(id="1", name="PLAIN", value="omni", is_secret=False),
    Variable(id="2", name="SECRET", value=None, is_secret=True),
]
SECRET_PLACEHOLDER = SET_IN_OMNI.get_secret_value()


def args(**properties: Any) -> DbtEnvironmentArgs:
    """Return the arguments of an environment with these properties."""
    required = {"connectionId": CONNECTION_ID, "name": "Staging", "targetSchema": "staging"}
    return DbtEnvironmentArgs.model_validate({**required, **properties})


def state(**properties: Any) -> DbtEnvironmentState:
    """Return the state of an environment with these properties."""
    return DbtEnvironmentState.model_validate({"connectionId": CONNECTION_ID, **properties})


def sent(update: Any) -> dict[str, dict[str, Any]]:
    """Return the variables of the request by ID, and new ones by name."""
    bodies = (body.model_dump(by_alias=True, exclude_unset=True) for body in update.bodies)
    return {body.get("id") or body["name"]: body for body in bodies}


def test_a_declared_variable_is_sent_with_its_value() -> None:
    """The request has the ID of an existing variable and the name of a new one.

    A declared variable counts as declared, also when it is retained or matches an unmanaged pattern.
    """
    declared = args(variables={"PLAIN": "a"}, secretVariables={"NEW": "b"}, unmanagedVariables=["*"])
    update = plan_update(declared, IN_OMNI[:1], state(retainedVariables=["PLAIN"]))
    assert sent(update) == {
        "1": {"id": "1", "value": "a", "isSecret": False},
        "NEW": {"name": "NEW", "value": "b", "isSecret": True},
    }
    assert update.kept == set()


SENT_BACK = {"1": {"id": "1", "value": "omni", "isSecret": False}, "2": {"id": "2", "isSecret": True}}


@pytest.mark.parametrize("patterns", [["PLAIN", "SECRET"], ["PLAI?", "SEC*"], ["*"]])
def test_an_unmanaged_variable_is_sent_back(patterns: list[str]) -> None:
    """A plain variable is sent with its value in Omni, a secret one with its ID only. Neither is reported."""
    known = state(variables={"PLAIN": "program"}, retainedVariables=["SECRET"])
    update = plan_update(args(unmanagedVariables=patterns), IN_OMNI, known)
    assert sent(update) == SENT_BACK
    assert update.kept == set()


def test_a_plain_variable_without_a_value_is_sent_back_without_one() -> None:
    """When a response lacks the value of a plain variable, the update must not set an empty value."""
    variables = [Variable(id="1", name="PLAIN", value=None, is_secret=False)]
    assert sent(plan_update(args(unmanagedVariables=["*"]), variables, None)) == {"1": {"id": "1", "isSecret": False}}


def test_an_unmanaged_variable_that_does_not_exist_is_not_sent() -> None:
    """``unmanaged_variables`` may contain names that do not exist yet."""
    assert sent(plan_update(args(unmanagedVariables=["PLAIN"]), [], None)) == {}


def test_a_retained_variable_is_omitted() -> None:
    """A variable that an earlier update omitted and Omni retained is omitted again."""
    assert sent(plan_update(args(), IN_OMNI, state(retainedVariables=["PLAIN", "SECRET"]))) == {}


def test_a_removed_variable_is_omitted() -> None:
    """A variable that is in the state and no longer in the program is omitted, so that Omni deletes it."""
    known = state(variables={"PLAIN": "a"}, secretVariables={"SECRET": SECRET_PLACEHOLDER})
    assert sent(plan_update(args(), IN_OMNI, known)) == {}


def test_an_unknown_variable_is_sent_back_and_reported() -> None:
    """A variable that was added in Omni after the last refresh must not be deleted."""
    update = plan_update(args(), IN_OMNI, state())
    assert sent(update) == SENT_BACK
    assert (update.unknown, update.no_longer_unmanaged) == (["PLAIN", "SECRET"], [])


def test_a_variable_that_is_no_longer_unmanaged_is_sent_back_and_reported() -> None:
    """The update that removes a name from the unmanaged variables does not delete the variable."""
    update = plan_update(args(), IN_OMNI, state(unmanagedVariables=["PLAIN", "SEC*"]))
    assert sent(update) == SENT_BACK
    assert (update.unknown, update.no_longer_unmanaged) == ([], ["PLAIN", "SECRET"])


def test_a_removed_variable_that_matched_a_pattern_is_omitted() -> None:
    """A variable that the state has as declared is omitted, also when the state has an unmanaged pattern for it."""
    known = state(variables={"PLAIN": "a"}, secretVariables={"SECRET": SECRET_PLACEHOLDER}, unmanagedVariables=["*"])
    update = plan_update(args(), IN_OMNI, known)
    assert sent(update) == {}
    assert update.kept == set()


@pytest.mark.parametrize("field", ["variables", "secretVariables"])
def test_a_placeholder_is_never_sent(field: str) -> None:
    """With ``ignore_changes`` the inputs have placeholders from a refresh instead of values.

    The variables are sent back unchanged, and one that no longer exists is reported.
    """
    placeholder = WAS_SECRET if field == "variables" else SECRET_PLACEHOLDER
    names = ("PLAIN", "SECRET", "GONE")
    declared = args(**{field: dict.fromkeys(names, placeholder)})
    update = plan_update(declared, IN_OMNI, state(**{field: dict.fromkeys(names, placeholder)}))
    assert sent(update) == SENT_BACK
    assert update.missing == ["GONE"]


def test_undeclared_variables() -> None:
    """Adopting would delete variables that are neither declared nor unmanaged. Secret ones are marked."""
    assert undeclared(args(), IN_OMNI) == ["PLAIN", "SECRET (secret)"]
    assert undeclared(args(variables={"PLAIN": "a"}, unmanagedVariables=["S*"]), IN_OMNI) == []
