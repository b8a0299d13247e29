"""What is masked before anything is shown."""

from __future__ import annotations

import time

import pytest

from omni_pulumi.api import errors
from omni_pulumi.api.redact import mask_urls, redact

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
    """User and password of each URL are masked, and masking twice changes nothing."""
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
def test_other_text_stays(text: str) -> None:
    """A URL without a user, the user name of every git host, and a mail address stay readable."""
    assert mask_urls(text) == text


@pytest.mark.parametrize("part", ["://", "://a:b", "a@", "://a@", "@"])
def test_masking_takes_linear_time(part: str) -> None:
    """A text of a megabyte takes no longer than the service takes to answer."""
    began = time.process_time()
    mask_urls("://" + part * 250_000)
    assert time.process_time() - began < 2


def test_values_and_urls_are_masked_together() -> None:
    """A value of the request is masked wherever it stands, and so is the user part of a URL that was not in it."""
    assert (
        redact(f"hush refused for {URL}", ["hush"]) == "[secret] refused for https://[secret]@github.com/acme/dbt.git"
    )


def test_no_error_carries_the_user_part_of_a_url() -> None:
    """Text and attributes of an error are masked, also those that are set later."""
    raised = errors.AlreadyExistsError(f"It is {URL}.", operation=f"create {URL}", resource_id=None, changes=(URL,))
    lost = errors.BadRequestError("It is odd.", status=400, detail=f"odd: {URL}")
    lost.operation = f"write {URL}"
    for error in (raised, lost):
        assert TOKEN not in f"{error}{error.args}{vars(error)}"
    assert raised.changes == ("https://[secret]@github.com/acme/dbt.git",)
