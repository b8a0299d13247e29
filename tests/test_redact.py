"""Masking of secrets and of the user part of URLs."""

from __future__ import annotations

import time

import pytest

from omni_pulumi import errors
from omni_pulumi.redact import mask_urls, redact

TOKEN = "ghp_made-up"
URL = f"https://x-access-token:{TOKEN}@github.com/acme/dbt.git"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (URL, "https://[secret]@github.com/acme/dbt.git"),
        (f"https://{TOKEN}@github.com", "https://[secret]@github.com"),
        (f"https://user:p@{TOKEN}@host/x@y", "https://[secret]@host/x@y"),
        (f"ssh://user:{TOKEN}@host:22/x", "ssh://[secret]@host:22/x"),
        (
            f'now "{URL}", was "{URL}"',
            'now "https://[secret]@github.com/acme/dbt.git", was "https://[secret]@github.com/acme/dbt.git"',
        ),
        ("https://[secret]@host", "https://[secret]@host"),
    ],
)
def test_the_user_part_of_a_url_is_masked(text: str, masked: str) -> None:
    """User name and password of each URL are masked. Masking the result again does not change it."""
    assert mask_urls(text) == masked
    assert mask_urls(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:acme/dbt.git",
        "ssh://git@github.com/acme/dbt.git",
        "https://github.com/acme/dbt.git?owner=a@b",
        "https://acme.test/@scope/package#a@b",
        "write to admin@acme.test about https://acme.test",
    ],
)
def test_other_text_is_not_masked(text: str) -> None:
    """URLs without a user, the user name ``git`` and mail addresses are not masked."""
    assert mask_urls(text) == text


@pytest.mark.parametrize("part", ["://", "://a:b", "a@", "://a@", "@"])
def test_masking_takes_linear_time(part: str) -> None:
    """Masking a text of up to a megabyte takes less than 2 seconds."""
    started = time.process_time()
    mask_urls("://" + part * 250_000)
    assert time.process_time() - started < 2


def test_values_and_urls_are_masked_together() -> None:
    """``redact`` masks the given values and the user part of every URL."""
    assert (
        redact(f"hush refused for {URL}", ["hush"]) == "[secret] refused for https://[secret]@github.com/acme/dbt.git"
    )


def test_errors_mask_urls() -> None:
    """The user part of a URL is masked in the text and in each attribute of an error, also in one that is set later."""
    raised = errors.AlreadyExistsError(f"It is {URL}.", operation=f"create {URL}", resource_id=None, changes=(URL,))
    lost = errors.BadRequestError("It is odd.", status=400, detail=f"odd: {URL}")
    lost.operation = f"write {URL}"
    for error in (raised, lost):
        assert TOKEN not in f"{error}{error.args}{vars(error)}"
    assert raised.changes == ("https://[secret]@github.com/acme/dbt.git",)
