"""The dbt sources of the Lightdash simulator. The expected responses were observed on a real Lightdash."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from omni_pulumi.simulator import OTHER_PROJECT_ID, PROJECT_ID, LightdashSimulator
from tests.simulator.lightdash_sources import MINIMAL, OPTIONAL, SOURCES, WHOLE, error, stored

Connect = Callable[[str, str], httpx.Client]

UNKNOWN = "11111111-2222-4333-8444-555555555555"
GITHUB_ONLY = "Additional dbt sources currently support GitHub connections only"


def test_the_list_starts_with_the_primary_source(admin: httpx.Client) -> None:
    """The list contains the project's own connection first, under the project's ID and with precedence 0."""
    response = admin.get(SOURCES)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "results": [
            {
                "projectDbtSourceUuid": PROJECT_ID,
                "name": "Project dbt connection",
                "isPrimary": True,
                "precedence": 0,
                "type": "github",
                "hasCredentialError": False,
                "repository": "example/dbt",
                "branch": "main",
                "projectSubPath": "/",
            }
        ],
    }
    (primary,) = admin.get(f"/api/v1/projects/{OTHER_PROJECT_ID}/dbt-sources").json()["results"]
    assert primary["type"] == "none"
    assert {primary[name] for name in ("repository", "branch", "projectSubPath")} == {None}


def test_create(lightdash: LightdashSimulator, admin: httpx.Client) -> None:
    """POST responds with 201 and a summary, without connection and secrets."""
    response = admin.post(SOURCES, json={"name": "finance", "dbtConnection": WHOLE})
    assert response.status_code == 201
    results = response.json()["results"]
    assert results == {
        "projectDbtSourceUuid": results["projectDbtSourceUuid"],
        "name": "finance",
        "isPrimary": False,
        "precedence": 1,
        "type": "github",
        "hasCredentialError": False,
        "repository": "example/finance",
        "branch": "main",
        "projectSubPath": "/dbt",
    }
    assert stored(lightdash) == WHOLE


def test_a_credential_is_not_required(admin: httpx.Client) -> None:
    """A GitHub connection without a credential is accepted."""
    assert admin.post(SOURCES, json={"name": "x", "dbtConnection": MINIMAL}).status_code == 201


def test_precedence(admin: httpx.Client) -> None:
    """A new source has the highest precedence plus one. Precedences of deleted sources are not reused."""
    paths = []
    for name in "cab":
        results = admin.post(SOURCES, json={"name": name, "dbtConnection": MINIMAL}).json()["results"]
        paths.append(f"{SOURCES}/{results['projectDbtSourceUuid']}")
    admin.delete(paths[1])
    admin.post(SOURCES, json={"name": "a", "dbtConnection": MINIMAL})
    results = admin.get(SOURCES).json()["results"]
    assert [(each["name"], each["precedence"]) for each in results[1:]] == [("c", 1), ("b", 3), ("a", 4)]


def test_get_omits_secrets(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """GET of a source returns its connection without secret fields, with environment values and unknown fields."""
    secrets = {"api_key": "zzz", "webhook_hmac_secret": "yyy"}
    admin.patch(source, json={"dbtConnection": {**WHOLE, **secrets, "foo": "bar"}})
    assert stored(lightdash) == {**WHOLE, **secrets, "foo": "bar"}
    results = admin.get(source).json()["results"]
    assert results["dbtConnection"] == {**MINIMAL, **OPTIONAL, "foo": "bar"}
    assert results["name"] == "finance"


@pytest.mark.parametrize("token", [{}, {"personal_access_token": ""}], ids=["omitted", "empty"])
def test_an_update_keeps_only_the_secrets(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str, token: dict[str, str]
) -> None:
    """PATCH replaces the connection: omitted optional fields are removed. An omitted or empty token is kept."""
    response = admin.patch(source, json={"dbtConnection": {**MINIMAL, "branch": "develop", **token}})
    assert (response.status_code, response.json()["results"]["branch"]) == (200, "develop")
    assert stored(lightdash) == {**MINIMAL, "branch": "develop", "personal_access_token": "github_pat_FAKE_one"}


def test_another_authorization_method_keeps_the_token(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str
) -> None:
    """Changing to `installation_id` keeps the stored token. A new token replaces it."""
    connection = {**MINIMAL, "authorization_method": "installation_id", "installation_id": "777"}
    admin.patch(source, json={"dbtConnection": connection})
    assert stored(lightdash)["personal_access_token"] == "github_pat_FAKE_one"
    admin.patch(source, json={"dbtConnection": {**connection, "personal_access_token": "github_pat_FAKE_two"}})
    assert stored(lightdash)["personal_access_token"] == "github_pat_FAKE_two"


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"precedence": 42, "isPrimary": true, "foo": 1}'])
def test_updates_without_effect(admin: httpx.Client, lightdash: LightdashSimulator, source: str, body: bytes) -> None:
    """An empty body, no body and unknown fields get 200 and change nothing."""
    before = lightdash.sources(PROJECT_ID)
    response = admin.patch(source, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    assert lightdash.sources(PROJECT_ID) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_with_another_content_type_is_ignored(
    admin: httpx.Client, lightdash: LightdashSimulator, source: str, content_type: str
) -> None:
    """A body whose Content-Type is not JSON is ignored."""
    response = admin.patch(source, content=b'{"name": "x"}', headers={"Content-Type": content_type})
    assert response.status_code == 200
    assert lightdash.sources(PROJECT_ID)[0]["name"] == "finance"


def test_the_content_type_can_have_a_charset(admin: httpx.Client, source: str) -> None:
    """A body whose Content-Type is JSON with a charset is read."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = admin.patch(source, content='{"name": "finánce 💰"}'.encode(), headers=headers)
    assert response.json()["results"]["name"] == "finánce 💰"


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize("name", ["", "  finance  ", "my source!", "n" * 255, "Project dbt connection", "Finance"])
def test_accepted_names(admin: httpx.Client, name: str) -> None:
    """Lightdash accepts any name of up to 255 characters, unchanged. Names are case-sensitive."""
    assert admin.post(SOURCES, json={"name": name, "dbtConnection": MINIMAL}).json()["results"]["name"] == name


@pytest.mark.parametrize("name", ["n" * 256, "fin\0ance"], ids=["long", "nul"])
def test_rejected_names(admin: httpx.Client, source: str, name: str) -> None:
    """A name over 255 characters or with a NUL gets 500."""
    expected = (500, "UnexpectedServerError", "Something went wrong.")
    assert error(admin.post(SOURCES, json={"name": name, "dbtConnection": MINIMAL})) == expected
    assert error(admin.patch(source, json={"name": name})) == expected


def test_names_are_unique_within_a_project(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """A second source with the same name in a project gets 409. Another project can use the same name."""
    expected = (409, "AlreadyExistsError", 'A dbt source named "finance" already exists on this project')
    assert error(admin.post(SOURCES, json={"name": "finance", "dbtConnection": MINIMAL})) == expected
    other = lightdash.add_source(PROJECT_ID, "marketing", MINIMAL)
    assert error(admin.patch(f"{SOURCES}/{other}", json={"name": "finance"})) == expected
    assert admin.patch(source, json={"name": "finance"}).status_code == 200
    elsewhere = f"/api/v1/projects/{OTHER_PROJECT_ID}/dbt-sources"
    assert admin.post(elsewhere, json={"name": "finance", "dbtConnection": MINIMAL}).status_code == 201


@pytest.mark.parametrize(
    "connection",
    [
        {
            "type": "gitlab",
            "personal_access_token": "x",
            "repository": "a/b",
            "branch": "main",
            "project_sub_path": "/",
        },
        {"type": "dbt_cloud_ide", "api_key": "k", "environment_id": "1", "tags": ["a"]},
        {"type": "none", "hideRefreshButton": True},
        {"type": "dbt"},
        {"type": "manifest", "manifest": "{}", "hideRefreshButton": False},
    ],
    ids=lambda connection: str(connection["type"]),
)
def test_github_only(admin: httpx.Client, source: str, connection: dict[str, Any]) -> None:
    """Connections of other types are valid but get 400."""
    expected = (400, "ParameterError", GITHUB_ONLY)
    assert error(admin.post(SOURCES, json={"name": "x", "dbtConnection": connection})) == expected
    assert error(admin.patch(source, json={"dbtConnection": connection})) == expected


@pytest.mark.parametrize("name", [None, 5])
def test_a_name_is_a_string(admin: httpx.Client, source: str, name: int | None) -> None:
    """A null or number as name gets 422, with the value in `error.data`."""
    response = admin.patch(source, json={"name": name})
    assert error(response) == (422, "ValidateError", "body.name: invalid string value")
    assert response.json()["error"]["data"] == {"body.name": {"message": "invalid string value", "value": name}}


def test_create_requires_both_fields(admin: httpx.Client) -> None:
    """The 422 contains all missing fields, without values."""
    response = admin.post(SOURCES, json={})
    message = "body.dbtConnection: 'dbtConnection' is required, body.name: 'name' is required"
    assert error(response) == (422, "ValidateError", message)
    assert response.json()["error"]["data"]["body.name"] == {"message": "'name' is required"}
    assert admin.post(SOURCES, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 422


def test_an_array_as_body(admin: httpx.Client, source: str) -> None:
    """An array as body gets 422."""
    response = admin.patch(source, json=[])
    assert error(response) == (422, "ValidateError", "body: invalid object")
    assert response.json()["error"]["data"] == {"body": {"message": "invalid object", "value": []}}


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"branch": ...}, '{"body.dbtConnection.branch":{"message":"\'branch\' is required"}}'),
        (
            {"personal_access_token": None},
            '{"body.dbtConnection.personal_access_token":{"message":"invalid string value","value":null}}',
        ),
        ({"host_domain": None}, '{"body.dbtConnection.host_domain":{"message":"invalid string value","value":null}}'),
        (
            {"installation_id": 12345},
            '{"body.dbtConnection.installation_id":{"message":"invalid string value","value":12345}}',
        ),
        ({"environment": [{"key": "A"}]}, '{"environment.$0.value":{"message":"\'value\' is required"}}'),
        (
            {"environment": [{"key": "A", "value": 1}]},
            '{"environment.$0.value":{"message":"invalid string value","value":1}}',
        ),
        (
            {"authorization_method": "ssh"},
            '{"body.dbtConnection.authorization_method":{"message":"Could not match the union ',
        ),
    ],
)
def test_a_connection_that_matches_no_type(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str, change: dict[str, Any], issue: str
) -> None:
    """The 422 lists the issues of each type. Its message has no token, but its data contains the whole connection."""
    connection = {name: value for name, value in {**WHOLE, **change}.items() if value is not ...}
    response = admin.patch(source, json={"dbtConnection": connection})
    status, name, message = error(response)
    assert (status, name) == (422, "ValidateError")
    assert message.startswith("body.dbtConnection: Could not match the union against any of the items. Issues: [{")
    assert issue in message
    assert "github_pat" not in message
    data = response.json()["error"]["data"]["body.dbtConnection"]
    assert f"body.dbtConnection: {data['message']}" == message
    assert data["value"] == connection
    assert stored(lightdash) == WHOLE


def test_the_issues_of_all_types(admin: httpx.Client) -> None:
    """The issues list the eight types and their fields in a fixed order."""
    response = admin.post(SOURCES, json={"name": "q", "dbtConnection": {"type": "svn"}})
    text = error(response)[2].partition("Issues: ")[2]
    issues = httpx.Response(200, text=text).json()
    types = ["dbt", "dbt_cloud_ide", "github", "bitbucket", "gitlab", "azure_devops", "none", "manifest"]
    assert [issue["body.dbtConnection.type"]["message"] for issue in issues] == [
        f"should be one of the following; ['{name}']" for name in types
    ]
    assert [list(issue)[1:] for issue in issues if len(issue) > 1] == [
        [f"body.dbtConnection.{name}" for name in names.split()]
        for names in (
            "api_key environment_id",
            "authorization_method repository branch project_sub_path",
            "username personal_access_token repository branch project_sub_path",
            "personal_access_token repository branch project_sub_path",
            "personal_access_token organization project repository branch project_sub_path",
            "manifest hideRefreshButton",
        )
    ]


@pytest.mark.parametrize("connection", [None, {"branch": "main"}, {"type": "github", "branch": "main"}, [], "x"])
def test_a_partial_connection_matches_no_type(admin: httpx.Client, source: str, connection: object) -> None:
    """An update cannot change single fields of a connection, and null does not remove it."""
    response = admin.patch(source, json={"dbtConnection": connection})
    assert error(response)[:2] == (422, "ValidateError")
    assert response.json()["error"]["data"]["body.dbtConnection"]["value"] == connection


def test_empty_values_are_accepted(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """Empty strings, empty or repeated environment keys and any token are stored unchanged."""
    connection = {
        **WHOLE,
        **dict.fromkeys(("repository", "branch", "project_sub_path", "host_domain", "target", "selector"), ""),
        "environment": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}, {"key": "", "value": ""}],
        "personal_access_token": "hello",
    }
    assert admin.patch(source, json={"dbtConnection": connection}).json()["results"]["repository"] == ""
    assert stored(lightdash) == connection


@pytest.mark.parametrize("body", [b'{"name":', b"5", b'"x"', b"null", b'{"name": NaN}'])
def test_malformed_json_is_500(admin: httpx.Client, source: str, body: bytes) -> None:
    """Malformed JSON, and JSON that is neither object nor array, gets 500."""
    response = admin.patch(source, content=body, headers={"Content-Type": "application/json"})
    assert error(response) == (500, "UnexpectedServerError", "Something went wrong.")


def test_a_large_body_is_413(admin: httpx.Client, source: str) -> None:
    """A body over 5 MB gets 413."""
    response = admin.patch(source, json={"name": "x" * (5 * 1024 * 1024)})
    expected = (413, "PayloadTooLargeError", "Request payload exceeds the maximum allowed size")
    assert error(response) == expected


@pytest.mark.parametrize("scheme", ["", "{}", "Bearer {}", "apikey {}", "Bearer ldsvc_0000", "ApiKey", "Basic {}"])
def test_a_missing_token_gets_a_plain_401(
    lightdash: LightdashSimulator, connect: Connect, source: str, scheme: str
) -> None:
    """Without the ApiKey scheme and a token, the 401 is plain text without a Content-Type."""
    response = connect(lightdash.url, scheme.format(lightdash.api_key)).patch(source, json={"name": "x"})
    assert (response.status_code, response.text) == (401, "Unauthorized")
    assert "content-type" not in response.headers
    assert response.headers["lightdash-version"] == lightdash.version


def test_an_invalid_token_gets_a_json_401(lightdash: LightdashSimulator, connect: Connect, source: str) -> None:
    """A token that is unknown, expired or starts with a space gets a JSON 401."""
    for token in ("ldpat_0000", lightdash.expired_token, f" {lightdash.api_key}"):
        response = connect(lightdash.url, f"ApiKey {token}").patch(source, json={"name": "x"})
        assert error(response) == (401, "AuthorizationError", "Failed to authorize user")


def test_roles(lightdash: LightdashSimulator, connect: Connect, source: str) -> None:
    """Viewers and developers can read, other members cannot. Only admins can write."""
    forbidden = (403, "ForbiddenError", "You don't have access to this resource or action")
    for token, reads in (
        (lightdash.developer_token, True),
        (lightdash.viewer_token, True),
        (lightdash.member_token, False),
    ):
        client = connect(lightdash.url, f"ApiKey {token}")
        for path in (SOURCES, source):
            assert client.get(path).status_code == 200 if reads else error(client.get(path)) == forbidden
        assert error(client.post(SOURCES, json={"name": "x", "dbtConnection": WHOLE})) == forbidden
        assert error(client.patch(source, json={"name": "x"})) == forbidden
        assert error(client.delete(source)) == forbidden
    assert lightdash.sources(PROJECT_ID)[0]["name"] == "finance"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_projects_and_sources(
    lightdash: LightdashSimulator, admin: httpx.Client, source: str, method: str
) -> None:
    """Unknown projects and sources and the primary source get 404. A source of another project gets 403."""

    def send(path: str) -> tuple[int, str, str]:
        return error(admin.request(method, path, json={"name": "x"}))

    for missing in (UNKNOWN, PROJECT_ID):
        assert send(f"{SOURCES}/{missing}") == (404, "NotFoundError", f"Cannot find dbt source with id: {missing}")
    unknown_project = source.replace(PROJECT_ID, UNKNOWN)
    assert send(unknown_project) == (404, "NotFoundError", f"Cannot find project with id: {UNKNOWN}")
    elsewhere = lightdash.add_source(OTHER_PROJECT_ID, "elsewhere", MINIMAL)
    expected = (403, "ForbiddenError", "This dbt source does not belong to the project")
    assert send(f"{SOURCES}/{elsewhere}") == expected


@pytest.mark.parametrize("identifier", ["not-a-uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
def test_ids_are_uuids_of_version_4(admin: httpx.Client, identifier: str) -> None:
    """Other IDs get a 422 that names the path parameter."""
    response = admin.patch(f"{SOURCES}/{identifier}", json={"name": "x"})
    status, name, message = error(response)
    assert (status, name) == (422, "ValidateError")
    assert message.startswith("projectDbtSourceUuid: Not match in '[0-9A-Fa-f]{8}-")
    assert response.json()["error"]["data"]["projectDbtSourceUuid"]["value"] == identifier
    assert error(admin.get(f"/api/v1/projects/{identifier}/dbt-sources"))[2].startswith("projectUuid: Not match in")


def test_an_id_within_other_text(admin: httpx.Client, source: str) -> None:
    """A UUID within other text passes validation and fails in the database with 500."""
    for path in (f"{SOURCES}/x{source.rpartition('/')[2]}y", source.replace(PROJECT_ID, f"x{PROJECT_ID}")):
        assert error(admin.patch(path, json={"name": "x"})) == (500, "UnexpectedServerError", "Something went wrong.")


def test_upper_case_ids(admin: httpx.Client, source: str) -> None:
    """A source ID can be in upper case. A project ID in upper case works for the list only."""
    project, _, identifier = source.rpartition("/")
    assert admin.get(f"{project}/{identifier.upper()}").status_code == 200
    upper = source.replace(PROJECT_ID, PROJECT_ID.upper())
    expected = (403, "ForbiddenError", "This dbt source does not belong to the project")
    assert error(admin.get(upper)) == expected
    listed = admin.get(upper.rpartition("/")[0]).json()["results"]
    assert listed[0]["projectDbtSourceUuid"] == PROJECT_ID.upper()
    assert len(listed) == 2


def test_the_order_of_the_checks(lightdash: LightdashSimulator, admin: httpx.Client, connect: Connect) -> None:
    """Order: body syntax, token, schema, project, role, source, project of the source, connection type, name."""
    developer = connect(lightdash.url, f"ApiKey {lightdash.developer_token}")
    unauthenticated = connect(lightdash.url, "ApiKey unknown")
    own = lightdash.add_source(PROJECT_ID, "finance", WHOLE)
    lightdash.add_source(PROJECT_ID, "used", WHOLE)
    elsewhere = lightdash.add_source(OTHER_PROJECT_ID, "elsewhere", WHOLE)
    unknown_project = f"/api/v1/projects/{UNKNOWN}/dbt-sources/{UNKNOWN}"
    none = {"type": "none"}
    malformed = unauthenticated.patch(unknown_project, content=b"{", headers={"Content-Type": "application/json"})
    assert malformed.status_code == 500
    assert unauthenticated.patch(unknown_project, json={"name": 5}).status_code == 401
    assert developer.patch(unknown_project, json={"name": 5}).status_code == 422
    assert developer.patch(unknown_project, json={"name": "x"}).status_code == 404
    assert developer.patch(f"{SOURCES}/{UNKNOWN}", json={"name": "x"}).status_code == 403
    assert admin.patch(f"{SOURCES}/{UNKNOWN}", json={"dbtConnection": none}).status_code == 404
    assert admin.patch(f"{SOURCES}/{elsewhere}", json={"dbtConnection": none}).status_code == 403
    assert admin.patch(f"{SOURCES}/{own}", json={"name": "used", "dbtConnection": none}).status_code == 400
    assert admin.patch(f"{SOURCES}/{own}", json={"name": "used", "dbtConnection": WHOLE}).status_code == 409


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", f"{SOURCES}/{UNKNOWN}"), ("GET", SOURCES[:-1]), ("DELETE", SOURCES), ("GET", "/")]
)
def test_unknown_routes(connect: Connect, lightdash: LightdashSimulator, method: str, path: str) -> None:
    """An unknown route or method gets 404."""
    response = connect(lightdash.url, "").request(method, path)
    assert error(response) == (404, "NotFoundError", "API endpoint not found")
    assert response.headers["lightdash-version"] == lightdash.version


def test_a_trailing_slash_and_head(admin: httpx.Client, source: str) -> None:
    """A trailing slash and HEAD requests are served."""
    assert admin.patch(f"{source}/", json={"name": "renamed"}).json()["results"]["name"] == "renamed"
    head = admin.head(source)
    assert (head.status_code, head.content) == (200, b"")


def test_delete(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """DELETE responds without results. A second DELETE gets 404."""
    response = admin.delete(source)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert admin.delete(source).status_code == 404
    assert lightdash.sources(PROJECT_ID) == []


def test_credentials_that_no_longer_decrypt(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """The list shows `hasCredentialError` and no connection, and GET of the source gets 500.

    The source can be renamed, and a new connection repairs it, also without a token.
    """
    lightdash.break_credentials(source.rpartition("/")[2])
    message = (
        'Could not load credentials for dbt source "finance" — remove it and add it again with a fresh connection.'
    )
    assert error(admin.get(source)) == (500, "UnexpectedServerError", message)
    listed = admin.get(SOURCES).json()["results"][1]
    assert listed["hasCredentialError"] is True
    assert {listed[name] for name in ("type", "repository", "branch", "projectSubPath")} == {None}
    assert admin.patch(source, json={"name": "renamed"}).json()["results"]["hasCredentialError"] is True
    repaired = admin.patch(source, json={"dbtConnection": MINIMAL})
    assert repaired.json()["results"]["hasCredentialError"] is False
    assert stored(lightdash) == MINIMAL


def test_health_requires_no_token(lightdash: LightdashSimulator, connect: Connect) -> None:
    """The health endpoint returns the version without a token."""
    response = connect(lightdash.url, "").get("/api/v1/health").json()
    assert response == {"status": "ok", "results": {"healthy": True, "version": lightdash.version}}


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        (LightdashSimulator.api_key, {"view", "manage"}),
        (LightdashSimulator.developer_token, {"view", "update", "delete"}),
        (LightdashSimulator.viewer_token, {"view"}),
        (LightdashSimulator.member_token, set()),
    ],
)
def test_the_caller_and_its_permissions(
    lightdash: LightdashSimulator, admin: httpx.Client, token: str, allowed: set[str]
) -> None:
    """The user endpoint returns the caller's permissions as rules. A rule about projects names all of them."""
    response = admin.get("/api/v1/user", headers={"Authorization": f"ApiKey {token}"}).json()
    rules = [rule for rule in response["results"]["abilityRules"] if rule["subject"] == "Project"]
    assert {rule["action"] for rule in rules} == allowed
    if token == lightdash.viewer_token:
        assert rules[0]["conditions"] == {"projectUuid": {"$in": [PROJECT_ID, OTHER_PROJECT_ID]}}


def test_changes_in_the_lightdash_ui(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """The API sees changes made by the simulator's methods. The methods raise KeyError for unknown IDs."""
    identifier = source.rpartition("/")[2]
    lightdash.edit_source(identifier, name="renamed", connection={"branch": "develop"})
    assert lightdash.sources(PROJECT_ID) == [
        {
            "id": identifier,
            "project_id": PROJECT_ID,
            "name": "renamed",
            "precedence": 1,
            "has_credential_error": False,
            "connection": {**WHOLE, "branch": "develop"},
        }
    ]
    assert admin.get(source).json()["results"]["branch"] == "develop"
    lightdash.edit_source(identifier, connection=MINIMAL)
    assert stored(lightdash) == MINIMAL
    with pytest.raises(ValueError, match="renamed"):
        lightdash.add_source(PROJECT_ID, "renamed", MINIMAL)
    lightdash.delete_source(identifier)
    assert admin.get(source).status_code == 404
    for unknown in (lightdash.delete_source, lightdash.break_credentials, lightdash.edit_source, lightdash.sources):
        with pytest.raises(KeyError):
            unknown(identifier)


def test_concurrent_updates(lightdash: LightdashSimulator, admin: httpx.Client, source: str) -> None:
    """Lightdash has no version check: all concurrent updates succeed, and one of them is stored."""
    branches = [f"b{number}" for number in range(8)]

    def update(branch: str) -> int:
        return admin.patch(source, json={"dbtConnection": {**MINIMAL, "branch": branch}}).status_code

    with ThreadPoolExecutor(max_workers=8) as threads:
        assert set(threads.map(update, branches)) == {200}
    assert stored(lightdash)["branch"] in branches
    assert len(lightdash.requests) == len(branches)
