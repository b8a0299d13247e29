"""The programs of the stateful test. They have few names and values, so that conflicts are frequent."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from omni_pulumi.simulator import DEVELOPMENT_CONNECTION_ID
from tests.catalogue import SAMPLES, Sample

SECRET = "hush-hush-"
"""The prefix of every secret of a program."""

texts = st.sampled_from(["a", "b", "c d"])
secrets = st.sampled_from([f"{SECRET}1", f'{SECRET}"2', f"{SECRET}ü3"])
variables = st.dictionaries(st.sampled_from(["A", "B", "C"]), texts, max_size=3)
unmanaged = st.lists(st.sampled_from(["A", "D", "Y", "Z", "TEAM_*", "[XY]", "*"]), unique=True, max_size=2)


@st.composite
def dbt_configurations(draw: st.DrawFn) -> dict[str, Any]:
    return {
        **SAMPLES["DbtConfiguration"].minimal,
        "sshUrl": draw(st.sampled_from(["git@x:a.git", "git@x:b.git"])),
        "branch": draw(texts),
        "autogenRelationships": draw(st.booleans()),
        "enableVirtualSchemas": draw(st.booleans()),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "enableSemanticLayer": st.booleans(),
                    "dbtVersion": st.sampled_from(["Auto", "1.10", "1.11"]),
                    "projectRootPath": st.sampled_from(["", "dbt", "a/b"]),
                    "rotateKeysTrigger": texts,
                },
            )
        ),
    }


def dbt_environments() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            **{key: st.just(value) for key, value in SAMPLES["DbtEnvironment"].minimal.items()},
            "targetSchema": texts,
            "variables": variables,
            "secretVariables": st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), secrets, max_size=2),
        },
        optional={
            "unmanagedVariables": unmanaged,
            "targetDatabase": texts,
            "targetName": texts,
            "targetRole": texts,
            "secretsTrigger": texts,
        },
    ).map(valid_environment)


def valid_environment(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with each name once: as a secret variable, else a plain one, else an unmanaged one."""
    hidden = properties["secretVariables"]
    plain = {name: value for name, value in properties["variables"].items() if name not in hidden}
    listed = [each for each in properties.get("unmanagedVariables", []) if each not in {*plain, *hidden}]
    return {**properties, "variables": plain, "unmanagedVariables": listed}


@st.composite
def routes(draw: st.DrawFn, values: tuple[str, ...]) -> dict[str, Any]:
    return {
        **SAMPLES["ConnectionEnvironment"].minimal,
        "userAttributeValues": draw(st.lists(st.sampled_from(values), unique=True)),
    }


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the attribute of a connection that has no dbt configuration.

    A dbt configuration and an attribute of the same connection would have the same ID.
    """
    return {
        **SAMPLES["ConnectionEnvironmentAttribute"].minimal,
        "attributeName": draw(st.sampled_from(["environment", "region"])),
        "defaultValues": draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
    }


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Any]:
    sample = SAMPLES["LightdashDbtSource"].minimal
    optional = {"target": texts, "selector": texts, "environment": variables, "hostDomain": texts}
    return {
        **sample,
        "dbtConnection": {
            **{key: value for key, value in sample["dbtConnection"].items() if key != "personalAccessToken"},
            "repository": draw(st.sampled_from(["acme/a", "acme/b"])),
            "branch": draw(texts),
            **({"personalAccessToken": draw(secrets)} if draw(st.integers(0, 3)) else {}),
            **draw(st.fixed_dictionaries({}, optional=optional)),
        },
        **draw(st.fixed_dictionaries({}, optional={"secretsTrigger": texts})),
    }


_RESOURCES = {
    "dbt": "DbtConfiguration",
    "environment": "DbtEnvironment",
    "production": "DbtEnvironment",
    "route": "ConnectionEnvironment",
    "attribute": "ConnectionEnvironmentAttribute",
    "source": "LightdashDbtSource",
}
"""The resource class, by the first word of a resource's name. A route is a connection environment."""


def sample_of(name: str) -> Sample:
    """Return the sample of a resource's class, by the first word of the resource's name."""
    return SAMPLES[_RESOURCES[name.split()[0]]]


_DISTINCT: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "dbt": dbt_configurations(),
    "environment 1": dbt_environments(),
    "environment 2": dbt_environments().map(lambda e: {**e, "name": "Dev"}),
    "production": dbt_environments().map(lambda e: {**e, "name": "Production", "adopt": True}),
    "route 1": routes(("a", "b")),
    "route 2": routes(("c", "d")).map(lambda r: {**r, "environmentConnectionId": DEVELOPMENT_CONNECTION_ID}),
    "attribute": attributes(),
    "source 1": sources(),
    "source 2": sources().map(lambda s: {**s, "name": "marketing"}),
}
"""Arguments of resources that declare different objects, by the resource's name."""

DUPLICATES = {
    name: f"{name} duplicate" for name in ("dbt", "environment 1", "production", "route 1", "attribute", "source 1")
}
"""Names of resources that declare the same object as another one, by the name of the other one."""

DECLARATIONS = {**_DISTINCT, **{duplicate: _DISTINCT[name] for name, duplicate in DUPLICATES.items()}}
"""Arguments that a program may declare, by the resource's name."""

NAMES = st.sampled_from([*sorted(DECLARATIONS), *[name for name in sorted(DECLARATIONS) if name.startswith("env")]])
"""Names of resources. Those of dbt environments are more frequent, because they have most of the rules."""

KEPT = st.frozensets(
    st.sampled_from(["variables", "secretVariables", "unmanagedVariables", "secretsTrigger", "targetRole", "ignored"])
)
"""What a change of the program keeps. ``"ignored"`` stands for `ignore_changes`."""

ADOPT = st.sampled_from([None, None, False, True, "existing"])
"""The argument `adopt`. ``None`` keeps its value in the program."""

IGNORED = st.sampled_from(
    [(), (), ("secretVariables",), ("variables", "secretVariables"), ("targetRole",), ("variables", "targetRole")]
)
"""Properties that `ignore_changes` of a dbt environment names."""
