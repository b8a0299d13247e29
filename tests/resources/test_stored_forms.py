"""What was written may not be what is read: a service may store another form of a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from omni_pulumi.simulator import GENERATED, PAGES, LightdashSimulator, OmniSimulator
from omni_pulumi.simulator.forms import normal_form
from tests.catalogue import SAMPLES, Sample
from tests.harness import ResourceHarness
from tests.logged import warnings
from tests.servicer import Stack

CONFIGURATION = SAMPLES["DbtConfiguration"]
ENVIRONMENT = SAMPLES["DbtEnvironment"]
SOURCE = SAMPLES["LightdashDbtSource"]


@pytest.fixture(scope="module", params=[GENERATED, PAGES], ids=["generated", "pages"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of services that store other forms."""
    dialect = replace(request.param, stored_form=normal_form)
    with OmniSimulator(dialect=dialect) as omni, LightdashSimulator(stored_form=normal_form) as lightdash:
        yield Stack(
            {
                "omni:baseUrl": omni.url,
                "omni:apiKey": omni.api_key,
                "omni:requestsPerMinute": "1000000",
                "lightdash:url": lightdash.url,
                "lightdash:apiKey": lightdash.api_key,
            }
        )


CASES: list[tuple[Sample, dict[str, Any], dict[str, Any], set[str]]] = [
    (
        CONFIGURATION,
        {"branch": "Main", "projectRootPath": "analytics/"},
        {"branch": "main", "projectRootPath": "analytics"},
        {'branch (the program has "Main", Omni has "main")', "project_root_path"},
    ),
    (
        ENVIRONMENT,
        {"targetSchema": "ABC", "targetRole": "R", "variables": {"A": "U\u0308", "B": "x/", "C": "as is"}},
        {"targetSchema": "abc", "targetRole": "r", "variables": {"A": "\u00fc", "B": "x", "C": "as is"}},
        {
            'target_schema (the program has "ABC", Omni has "abc")',
            'target_role (the program has "R", Omni has "r")',
            "variables.A (Omni has",
            "variables.B (Omni has another slash at the end)",
        },
    ),
    (
        SOURCE,
        {"dbtConnection": {**SOURCE.minimal["dbtConnection"], "branch": "Main", "environment": {"A": " b"}}},
        {"dbtConnection": {**SOURCE.minimal["dbtConnection"], "branch": "main", "environment": {"A": "b"}}},
        {
            'dbt_connection.branch (the program has "Main", Lightdash has "main")',
            "dbt_connection.environment.A (Lightdash has other spaces at the ends)",
        },
    ),
]
"""A resource, values of its program, their stored forms, and what a warning says."""


def about_forms(log: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in warnings(log) if "another form" in line]


@pytest.mark.parametrize(("sample", "sent", "stored", "said"), CASES, ids=lambda each: getattr(each, "name", None))
def test_another_stored_form_is_named(
    sample: Sample,
    sent: dict[str, Any],
    stored: dict[str, Any],
    said: set[str],
    stack: Stack,
    log: pytest.LogCaptureFixture,
) -> None:
    """`up` and each later preview name what the service stores otherwise, until the program has the stored form."""
    stack.resources.pop("it", None)
    harness = ResourceHarness(stack, sample.provider(), {**sample.minimal, **sent, "adopt": True})
    for command in (harness.up, harness.preview, harness.up, harness.preview):
        log.clear()
        assert command() in {"create", "update"}
        lines = about_forms(log)
        assert lines
        assert all(part in lines[0] for part in said), lines
    log.clear()
    assert harness.up(**stored) in {"same", "update"}
    harness.assert_settled(**stored)
    assert about_forms(log) == []
    assert harness.refresh()
    assert {key: harness.inputs[key] for key in stored if key != "dbtConnection"} == {
        key: value for key, value in stored.items() if key != "dbtConnection"
    }
    log.clear()
    assert harness.preview() == "update"
    assert about_forms(log) == [], "Pulumi displays this difference, because the inputs in the state differ"
    harness.destroy()
