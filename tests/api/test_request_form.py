"""A request whose form is in doubt is tried in the other form once, until one of the two has been accepted."""

from __future__ import annotations

import pytest

from omni_pulumi.api.errors import BadRequestError, PermissionDeniedError
from omni_pulumi.api.request_form import RequestForm


class Service:
    """Accepts one form, and refuses everything else with a status."""

    def __init__(self, accepts: str | None, *, status: int = 400) -> None:
        self.accepts, self.status = accepts, status
        self.asked: list[str] = []

    def __call__(self, form: str) -> str:
        self.asked.append(form)
        if form == self.accepts:
            return form
        raise BadRequestError(f"not {form}", status=self.status, detail=f"not {form}")


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("accepts", "asked"), [("text", ["text", "text"]), ("list", ["text", "list", "list"])])
def test_the_accepted_form_is_remembered(accepts: str, asked: list[str], status: int) -> None:
    """The second request is sent in the form that the first one was accepted in."""
    form, service = RequestForm("text", "list"), Service(accepts, status=status)
    assert [form.send(service), form.send(service)] == [accepts, accepts]
    assert service.asked == asked


def test_both_refusals_are_reported() -> None:
    """As long as no form has been accepted nobody knows which of the two answers counts."""
    with pytest.raises(BadRequestError) as caught:
        RequestForm("text", "list").send(Service(None))
    assert [fact for fact in ("not text", "not list") if fact not in str(caught.value)] == []


def test_a_refusal_after_an_accepted_request_is_about_the_content() -> None:
    """Where a form has been accepted the other one is not tried."""
    form, service = RequestForm("text", "list"), Service("text")
    form.send(service)
    service.accepts = None
    with pytest.raises(BadRequestError) as caught:
        form.send(service)
    assert caught.value.detail == "not text"
    assert service.asked == ["text", "text"]


def test_other_errors_are_no_question_of_form() -> None:
    """A body that is too large, or a key that may not do this, is not sent a second time."""
    too_large = Service(None, status=413)
    with pytest.raises(BadRequestError):
        RequestForm("text", "list").send(too_large)
    assert too_large.asked == ["text"]

    def forbidden(form: str) -> str:
        raise PermissionDeniedError(f"refused {form}", status=403, detail=f"not {form}")

    with pytest.raises(PermissionDeniedError) as caught:
        RequestForm("text", "list").send(forbidden)
    assert caught.value.detail == "not text"
