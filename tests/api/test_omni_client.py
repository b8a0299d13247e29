"""What Omni answers, where its sources contradict each other or themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from omni_pulumi.api import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.api.omni.models import DbtEnvironment
from omni_pulumi.simulator import CONNECTION_ID, GENERATED, OmniSimulator, faults

Handler = Callable[[httpx.Request], httpx.Response]

VARIABLE = {"id": "1", "name": "A", "value": "x", "isSecret": False}


def test_variables_as_one_object_are_no_list() -> None:
    """The page's example of an update's answer shows one object for all variables: what there is has to be read."""
    assert DbtEnvironment.model_validate({"id": "1", "variables": VARIABLE}).variables is None
    listed = DbtEnvironment.model_validate({"id": "1", "variables": [VARIABLE]}).variables
    assert listed is not None
    assert [variable.name for variable in listed] == ["A"]


@pytest.fixture
def client(omni: OmniSimulator) -> OmniClient:
    """A client of an empty Omni."""
    return OmniClient(Instance(omni.url, omni.api_key, requests_per_minute=6000))


def test_not_configured_as_404(client: OmniClient, omni: OmniSimulator) -> None:
    """Where "not configured" is a 404, its message tells it from a connection that does not exist."""
    with pytest.raises(errors.NotFoundError):
        client.get_dbt_configuration("550e8400-e29b-41d4-a716-446655440000")
    omni.inject(faults.Status(404, processed=False))
    with pytest.raises(errors.NotFoundError):
        client.get_dbt_configuration(CONNECTION_ID)
    client.close()


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Handler], OmniClient]]:
    """A client of an Omni that answers as a function says."""
    client = OmniClient(Instance("https://omni.example", "key"))

    def by(handler: Handler) -> OmniClient:
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _transport, request: handler(request))
        return client

    yield by
    client.close()


def test_not_configured_as_404_with_the_message(answered: Callable[[Handler], OmniClient]) -> None:
    """The words of the page for a DELETE, "not configured", mean the same in the answer to a GET."""
    client = answered(lambda _: httpx.Response(404, json={"message": "dbt not configured"}))
    assert client.get_dbt_configuration(CONNECTION_ID) is None


def test_not_found_or_not_configured(answered: Callable[[Handler], OmniClient]) -> None:
    """One message for both tells nothing: the connection may be the one that is missing."""
    client = answered(lambda _: httpx.Response(404, json={"message": "Connection not found or dbt not configured"}))
    with pytest.raises(errors.NotFoundError):
        client.get_dbt_configuration(CONNECTION_ID)


@pytest.mark.parametrize(
    "content",
    [
        {"message": "Service is in maintenance"},
        {"success": False, "message": "Permission denied"},
        {"branch": "main", "supportsDbt": True},
    ],
)
def test_another_message_is_not_not_configured(answered: Callable[[Handler], OmniClient], content: object) -> None:
    """Only the words for it, or ``supportsDbt``, say that there is no configuration."""
    client = answered(lambda _: httpx.Response(200, json=content))
    with pytest.raises(errors.UnexpectedResponseError):
        client.get_dbt_configuration(CONNECTION_ID)


def test_not_configured_in_few_words(answered: Callable[[Handler], OmniClient]) -> None:
    """Either of the two fields is enough."""
    for content in ({"message": "dbt not configured for this connection"}, {"supportsDbt": False}):
        client = answered(lambda _, content=content: httpx.Response(200, json=content))  # type: ignore[misc]
        assert client.get_dbt_configuration(CONNECTION_ID) is None


def test_pages_that_go_round_end_in_an_error(answered: Callable[[Handler], OmniClient]) -> None:
    """A cursor that was there before leads nowhere."""

    def page(request: httpx.Request) -> httpx.Response:
        following = "b" if request.url.params.get("cursor") == "a" else "a"
        return httpx.Response(200, json={"records": [], "pageInfo": {"hasNextPage": True, "nextCursor": following}})

    with pytest.raises(errors.UnexpectedResponseError) as caught:
        answered(page).list_dbt_environments(CONNECTION_ID)
    assert caught.value.fields == ("pageInfo.nextCursor",)
    assert caught.value.operation == f"list the dbt environments of connection {CONNECTION_ID}"


@pytest.mark.parametrize("content", [{"success": False, "message": "Connection is locked"}, {"success": False}])
def test_a_delete_that_was_not_carried_out(answered: Callable[[Handler], OmniClient], content: object) -> None:
    """Success is what the answer says, not only its status."""
    client = answered(lambda _: httpx.Response(200, json=content))
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        client.delete_dbt_environment(CONNECTION_ID, "e")
    assert (caught.value.resource_id, caught.value.outcome_unknown) == ("e", True)


def test_a_delete_without_content(answered: Callable[[Handler], OmniClient]) -> None:
    """204 has no content on purpose."""
    answered(lambda _: httpx.Response(204)).delete_dbt_environment(CONNECTION_ID, "e")


@pytest.mark.parametrize("field", ["id", "name", "targetSchema", "variables", "isSecret"])
def test_a_list_without_what_decides_is_an_error(client: OmniClient, omni: OmniSimulator, field: str) -> None:
    """An environment in a list that lacks what drift is seen by is an error that names field and request."""
    made = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="s")
    omni.set_variable(made, "A", "x")
    omni.inject(faults.Missing(field))
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        client.list_dbt_environments(CONNECTION_ID)
    assert {path.rpartition(".")[2] for path in caught.value.fields} == {field}
    assert caught.value.fields[0] in str(caught.value)
    assert caught.value.operation == f"list the dbt environments of connection {CONNECTION_ID}"
    client.close()


@pytest.mark.parametrize("field", ["pageInfo", "hasNextPage", "records"])
def test_a_page_that_does_not_say_whether_it_is_the_last_is_an_error(field: str) -> None:
    """A list is complete only when it says so: half of one would make environments look gone."""
    with OmniSimulator(dialect=GENERATED) as omni:
        client = OmniClient(Instance(omni.url, omni.api_key))
        omni.inject(faults.Missing(field))
        with pytest.raises(errors.UnexpectedResponseError):
            client.list_dbt_environments(CONNECTION_ID)
        client.close()
