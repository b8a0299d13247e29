"""Request forms: where the documentation has two forms of a body, the second one is sent when the first is refused."""

from __future__ import annotations

import pytest

from omni_pulumi.api.request_form import RequestForm
from omni_pulumi.errors import BadRequestError, PermissionDeniedError


class Service:
    """Accepts one form, refuses every other form with a status, and records the forms that it gets."""

    def __init__(self, accepts: str | None, *, status: int = 400) -> None:
        self.accepts, self.status = accepts, status
        self.received: list[str] = []

    def __call__(self, form: str) -> str:
        self.received.append(form)
        if form == self.accepts:
            return form
        raise BadRequestError(f"not {form}", status=self.status, detail=f"not {form}")


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("accepts", "received"), [("text", ["text", "text"]), ("list", ["text", "list", "list"])])
def test_the_accepted_form_is_remembered(accepts: str, received: list[str], status: int) -> None:
    """The second request is sent in the form in which the service accepted the first one."""
    form, service = RequestForm("text", "list"), Service(accepts, status=status)
    assert [form.send(service), form.send(service)] == [accepts, accepts]
    assert service.received == received


def test_both_refusals_are_reported() -> None:
    """When the service refuses both forms, the error has both messages, because either may be the relevant one."""
    with pytest.raises(BadRequestError) as caught:
        RequestForm("text", "list").send(Service(None))
    assert [fact for fact in ("not text", "not list") if fact not in str(caught.value)] == []


def test_no_second_form_after_an_accepted_request() -> None:
    """After the service has accepted a form, a refusal is about the content, and the other form is not sent."""
    form, service = RequestForm("text", "list"), Service("text")
    form.send(service)
    service.accepts = None
    with pytest.raises(BadRequestError) as caught:
        form.send(service)
    assert caught.value.detail == "not text"
    assert service.received == ["text", "text"]


def test_no_second_form_after_other_errors() -> None:
    """The other form is not sent after 413 and 403."""
    too_large = Service(None, status=413)
    with pytest.raises(BadRequestError):
        RequestForm("text", "list").send(too_large)
    assert too_large.received == ["text"]

    def forbidden(form: str) -> str:
        raise PermissionDeniedError(f"refused {form}", status=403, detail=f"not {form}")

    with pytest.raises(PermissionDeniedError) as caught:
        RequestForm("text", "list").send(forbidden)
    assert caught.value.detail == "not text"
