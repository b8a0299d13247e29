"""The Omni client: the forms of responses on which Omni's documentation contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from omni_pulumi import errors
from omni_pulumi.api.instance import Instance
from omni_pulumi.api.omni.client import OmniClient
from omni_pulumi.api.omni.models import DbtEnvironment
from omni_pulumi.simulator import CONNECTION_ID, GENERATED, OmniSimulator, faults

Handler = Callable[[httpx.Request], httpx.Response]

VARIABLE = {"id": "1", "name": "A", "value": "x", "isSecret": False}


def test_variables_as_one_object() -> None:
    """The documented response to an update has one object instead of a list of variables.

    The model then has no variables, so that the client reads them again.
    """
    assert DbtEnvironment.model_validate({"id": "1", "variables": VARIABLE}).variables is None
    listed = DbtEnvironment.model_validate({"id": "1", "variables": [VARIABLE]}).variables
    assert listed is not None
    assert [variable.name for variable in listed] == ["A"]


@pytest.fixture
def client(omni: OmniSimulator) -> OmniClient:
    """A client of an empty Omni."""
    return OmniClient(Instance(omni.url, omni.api_key, requests_per_minute=6000))


def test_404_without_a_message_is_not_found(client: OmniClient, omni: OmniSimulator) -> None:
    """A 404 means that dbt is not configured only when its message says so. Any other 404 is an error."""
    with pytest.raises(errors.NotFoundError):
        client.get_dbt_configuration("550e8400-e29b-41d4-a716-446655440000")
    omni.inject(faults.Status(404, processed=False))
    with pytest.raises(errors.NotFoundError):
        client.get_dbt_configuration(CONNECTION_ID)
    client.close()


@pytest.fixture
def client_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Handler], OmniClient]]:
    """Creates a client whose requests a function answers."""
    client = OmniClient(Instance("https://omni.example", "key"))

    def client_of(handler: Handler) -> OmniClient:
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _transport, request: handler(request))
        return client

    yield client_of
    client.close()


def test_404_with_not_configured_is_no_configuration(client_for: Callable[[Handler], OmniClient]) -> None:
    """The message "dbt not configured", which is documented for DELETE, has the same meaning for GET."""
    client = client_for(lambda _: httpx.Response(404, json={"message": "dbt not configured"}))
    assert client.get_dbt_configuration(CONNECTION_ID) is None


def test_404_with_an_ambiguous_message_is_not_found(client_for: Callable[[Handler], OmniClient]) -> None:
    """The message "Connection not found or dbt not configured" does not prove that the connection exists."""
    client = client_for(lambda _: httpx.Response(404, json={"message": "Connection not found or dbt not configured"}))
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
def test_other_content_is_an_error(client_for: Callable[[Handler], OmniClient], content: object) -> None:
    """Content without ``"supportsDbt": false`` and without the message "dbt not configured" is an error."""
    client = client_for(lambda _: httpx.Response(200, json=content))
    with pytest.raises(errors.UnexpectedResponseError):
        client.get_dbt_configuration(CONNECTION_ID)


def test_200_with_not_configured_is_no_configuration(client_for: Callable[[Handler], OmniClient]) -> None:
    """Either the message or ``"supportsDbt": false`` is enough."""
    for content in ({"message": "dbt not configured for this connection"}, {"supportsDbt": False}):
        client = client_for(lambda _, content=content: httpx.Response(200, json=content))  # type: ignore[misc]
        assert client.get_dbt_configuration(CONNECTION_ID) is None


def test_a_repeated_cursor_is_an_error(client_for: Callable[[Handler], OmniClient]) -> None:
    """The client stops reading pages when a cursor occurs a second time."""

    def page(request: httpx.Request) -> httpx.Response:
        next_cursor = "b" if request.url.params.get("cursor") == "a" else "a"
        return httpx.Response(200, json={"records": [], "pageInfo": {"hasNextPage": True, "nextCursor": next_cursor}})

    with pytest.raises(errors.UnexpectedResponseError) as caught:
        client_for(page).list_dbt_environments(CONNECTION_ID)
    assert caught.value.fields == ("pageInfo.nextCursor",)
    assert caught.value.operation == f"list the dbt environments of connection {CONNECTION_ID}"


@pytest.mark.parametrize("content", [{"success": False, "message": "Connection is locked"}, {"success": False}])
def test_200_without_success_is_an_error(client_for: Callable[[Handler], OmniClient], content: object) -> None:
    """A DELETE fails when its response has status 200 and ``"success": false``."""
    client = client_for(lambda _: httpx.Response(200, json=content))
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        client.delete_dbt_environment(CONNECTION_ID, "e")
    assert (caught.value.resource_id, caught.value.outcome_unknown) == ("e", True)


def test_204_is_a_successful_delete(client_for: Callable[[Handler], OmniClient]) -> None:
    """A DELETE needs no content in its response."""
    client_for(lambda _: httpx.Response(204)).delete_dbt_environment(CONNECTION_ID, "e")


@pytest.mark.parametrize("field", ["id", "name", "targetSchema", "variables", "isSecret"])
def test_an_environment_without_a_field_is_an_error(client: OmniClient, omni: OmniSimulator, field: str) -> None:
    """Drift cannot be detected without this field. The error names the field and the operation."""
    environment = omni.add_environment(CONNECTION_ID, name="Staging", target_schema="s")
    omni.set_variable(environment, "A", "x")
    omni.inject(faults.Missing(field))
    with pytest.raises(errors.UnexpectedResponseError) as caught:
        client.list_dbt_environments(CONNECTION_ID)
    assert {path.rpartition(".")[2] for path in caught.value.fields} == {field}
    assert caught.value.fields[0] in str(caught.value)
    assert caught.value.operation == f"list the dbt environments of connection {CONNECTION_ID}"
    client.close()


@pytest.mark.parametrize("field", ["pageInfo", "hasNextPage", "records"])
def test_a_page_without_page_info_is_an_error(field: str) -> None:
    """A list that may be incomplete is an error, because environments that it lacks would count as deleted."""
    with OmniSimulator(dialect=GENERATED) as omni:
        client = OmniClient(Instance(omni.url, omni.api_key))
        omni.inject(faults.Missing(field))
        with pytest.raises(errors.UnexpectedResponseError):
            client.list_dbt_environments(CONNECTION_ID)
        client.close()


@pytest.mark.parametrize(
    ("status", "kind"), [(200, True), (401, False), (403, False), (404, None), (405, None), (400, None)]
)
def test_the_kind_of_a_key(client_for: Callable[[Handler], OmniClient], status: int, *, kind: bool | None) -> None:
    """Only an organization key may list the users. The request is a GET that matches no user."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json={"detail": "x"})

    assert client_for(answer).is_organization_key() is kind
    (request,) = seen
    assert (request.method, request.url.path, "userName eq" in request.url.params["filter"]) == (
        "GET",
        "/api/scim/v2/Users",
        True,
    )


def test_the_rate_limit_tells_no_kind_of_key(omni: OmniSimulator) -> None:
    """429 is an error, because it says nothing about the key."""
    client = OmniClient(Instance(omni.url, omni.api_key, total_timeout=0))
    omni.inject(faults.rate_limited(1))
    with pytest.raises(errors.RateLimitError):
        client.is_organization_key()
    client.close()


@pytest.mark.parametrize(
    ("content", "supported"),
    [
        ({"message": "dbt not configured for this connection", "supportsDbt": True}, True),
        ({"message": "dbt not configured for this connection", "supportsDbt": False}, False),
        ({"message": "dbt not configured for this connection"}, None),
    ],
)
def test_support_of_dbt(
    client_for: Callable[[Handler], OmniClient], content: dict[str, object], *, supported: bool | None
) -> None:
    """Without a configuration, Omni may tell whether the connection supports dbt."""
    support = client_for(lambda _: httpx.Response(200, json=content)).get_dbt_support(CONNECTION_ID)
    assert (support.configuration, support.is_supported) == (None, supported)
