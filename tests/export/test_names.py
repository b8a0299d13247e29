"""Names in the program."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_pulumi.export.names import config_key, identifier, slug, unique


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Staging 3", "staging_3"),
        ("staging-3!", "staging_3"),
        ("Überblick \N{EN DASH} Größe", "uberblick_grosse"),
        ("日本語", "otherwise"),
        ("", "otherwise"),
        ("売上 KPI", "kpi"),
        ("x" * 300, "x" * 60),
    ],
)
def test_slugs(text: str, name: str) -> None:
    """A slug has the letters and digits of ASCII."""
    assert slug(text, "otherwise") == name


@given(st.text())
def test_identifiers(text: str) -> None:
    """Every display name becomes a variable of Python."""
    name = identifier(slug(text, "connection"), "connection")
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


@pytest.mark.parametrize(("name", "expected"), [("class", "class_"), ("print", "print_"), ("pulumi", "pulumi_")])
def test_reserved_names(name: str, expected: str) -> None:
    """Keywords, built-in names and the names of the program itself get an underscore."""
    assert identifier(name, "connection") == expected


def test_equal_names() -> None:
    """Each of several equal names gets the end of its ID, independent of the order. Others stay as they are."""
    wanted = [("a", "1-0001"), ("b", "1-0002"), ("a", "1-0003")]
    assert unique(wanted) == ["a_0001", "b", "a_0003"]
    assert unique(wanted[::-1]) == ["a_0003", "b", "a_0001"]
    assert unique([("b", "1-0002")], taken={"b"}) == ["b_0002"]


def test_equal_ends_of_ids() -> None:
    """Longer ends are used when the short ones are equal, or when another object has the name."""
    assert unique([("a", "10-0001"), ("a", "20-0001")]) == ["a_0001", "a_00001"]
    assert unique([("a", "10-0001"), ("a", "20-0002"), ("a_0001", "3")]) == ["a_00001", "a_0002", "a_0001"]


@given(st.lists(st.tuples(st.sampled_from(["a", "a_0001", "b"]), st.uuids().map(str)), unique_by=lambda each: each[1]))
def test_names_differ(wanted: list[tuple[str, str]]) -> None:
    """No two objects have the same name."""
    assert len(set(unique(wanted))) == len(wanted)


def test_config_keys() -> None:
    """A key is in camel case, like those of Pulumi's documentation."""
    assert config_key("warehouse_staging_3", "DBT_TOKEN") == "warehouseStaging3DbtToken"
