"""Each variable of a dbt environment has one kind, which decides what an update sends."""

from __future__ import annotations

from typing import Any

import pytest

from omni_pulumi.api.omni.models import Variable
from omni_pulumi.resources.dbt_environment import DbtEnvironmentArgs, DbtEnvironmentState
from omni_pulumi.simulator import CONNECTION_ID
from omni_pulumi.variables import SET_IN_OMNI, WAS_SECRET, plan_update, undeclared

FOUND = [
    Variable(id="1", name="PLAIN", value="theirs", is_secret=False),
    Variable(id="2", name="SECRET", value=None, is_secret=True),
]
PLACEHOLDER = SET_IN_OMNI.get_secret_value()


def args(**properties: Any) -> DbtEnvironmentArgs:
    given = {"connectionId": CONNECTION_ID, "name": "Staging", "targetSchema": "staging", **properties}
    return DbtEnvironmentArgs.model_validate(given)


def state(**properties: Any) -> DbtEnvironmentState:
    return DbtEnvironmentState.model_validate({"connectionId": CONNECTION_ID, **properties})


def sent(update: Any) -> dict[str, dict[str, Any]]:
    """The variables of the request by ID or, for new ones, by name."""
    bodies = (body.model_dump(by_alias=True, exclude_unset=True) for body in update.bodies)
    return {body.get("id") or body["name"]: body for body in bodies}


def test_a_declared_variable_is_sent_with_its_value() -> None:
    """An existing variable is named by its ID, a new one by its name, and a declared name has no other kind."""
    declared = args(variables={"PLAIN": "a"}, secretVariables={"NEW": "b"}, unmanagedVariables=["*"])
    update = plan_update(declared, FOUND[:1], state(retainedVariables=["PLAIN"]))
    assert sent(update) == {
        "1": {"id": "1", "value": "a", "isSecret": False},
        "NEW": {"name": "NEW", "value": "b", "isSecret": True},
    }
    assert update.kept == set()


UNCHANGED = {"1": {"id": "1", "value": "theirs", "isSecret": False}, "2": {"id": "2", "isSecret": True}}


@pytest.mark.parametrize("patterns", [["PLAIN", "SECRET"], ["PLAI?", "SEC*"], ["*"]])
def test_an_unmanaged_variable_is_sent_back(patterns: list[str]) -> None:
    """A plain one with the value that Omni has, a secret by its ID without a value, and no note of either."""
    known = state(variables={"PLAIN": "ours"}, retainedVariables=["SECRET"])
    update = plan_update(args(unmanagedVariables=patterns), FOUND, known)
    assert sent(update) == UNCHANGED
    assert update.kept == set()


def test_a_variable_whose_value_is_not_known_is_sent_back_without_one() -> None:
    """An answer without the value of a plain variable does not empty it.

    Found by the stateful tests: the variable had an empty value afterwards.
    """
    found = [Variable(id="1", name="PLAIN", value=None, is_secret=False)]
    assert sent(plan_update(args(unmanagedVariables=["*"]), found, None)) == {"1": {"id": "1", "isSecret": False}}


def test_an_unmanaged_variable_that_does_not_exist_is_not_sent() -> None:
    """A list may name what comes later."""
    assert sent(plan_update(args(unmanagedVariables=["PLAIN"]), [], None)) == {}


def test_a_retained_variable_is_left_out() -> None:
    """The program dropped it and Omni kept it: it is left out again."""
    assert sent(plan_update(args(), FOUND, state(retainedVariables=["PLAIN", "SECRET"]))) == {}


def test_a_dropped_variable_is_left_out() -> None:
    """The state has it and the program no longer does, so the user has said that it goes."""
    known = state(variables={"PLAIN": "a"}, secretVariables={"SECRET": PLACEHOLDER})
    assert sent(plan_update(args(), FOUND, known)) == {}


def test_an_unknown_variable_is_sent_back_and_noted() -> None:
    """Somebody added it since the last refresh: nobody has said that it goes."""
    update = plan_update(args(), FOUND, state())
    assert sent(update) == UNCHANGED
    assert (update.unknown, update.released) == (["PLAIN", "SECRET"], [])


def test_a_name_that_leaves_the_list_is_sent_back_once_and_noted() -> None:
    """The end of the protection deletes nothing in the same update."""
    update = plan_update(args(), FOUND, state(unmanagedVariables=["PLAIN", "SEC*"]))
    assert sent(update) == UNCHANGED
    assert (update.unknown, update.released) == ([], ["PLAIN", "SECRET"])


def test_a_declared_name_that_a_glob_matches_is_dropped() -> None:
    """A name that the state has as declared was never unmanaged, so it goes although a glob leaves with it."""
    known = state(variables={"PLAIN": "a"}, secretVariables={"SECRET": PLACEHOLDER}, unmanagedVariables=["*"])
    update = plan_update(args(), FOUND, known)
    assert sent(update) == {}
    assert update.kept == set()


@pytest.mark.parametrize("field", ["variables", "secretVariables"])
def test_a_placeholder_is_never_sent(field: str) -> None:
    """``ignore_changes`` hands on what a refresh found: Omni keeps the values, and what is gone is noted."""
    placeholder = WAS_SECRET if field == "variables" else PLACEHOLDER
    names = ("PLAIN", "SECRET", "GONE")
    declared = args(**{field: dict.fromkeys(names, placeholder)})
    update = plan_update(declared, FOUND, state(**{field: dict.fromkeys(names, placeholder)}))
    assert sent(update) == UNCHANGED
    assert update.missing == ["GONE"]


def test_what_adopting_would_delete() -> None:
    """Neither declared nor unmanaged; secrets are marked, because no API gives them back."""
    assert undeclared(args(), FOUND) == ["PLAIN", "SECRET (secret)"]
    assert undeclared(args(variables={"PLAIN": "a"}, unmanagedVariables=["S*"]), FOUND) == []
