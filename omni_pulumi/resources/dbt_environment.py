"""A dbt environment of an Omni connection, with its variables and secrets.

Source: https://docs.omni.co/api/dbt/update-dbt-environment. The surprising facts: one environment cannot be fetched,
only the list; variables are known by server IDs that an update needs; nobody says whether an update deletes the
variables that it leaves out.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import pulumi
import pydantic

from omni_pulumi.api import omni
from omni_pulumi.api.errors import AlreadyExistsError, BadRequestError, Error, NotFoundError, PartlyCreatedError
from omni_pulumi.api.omni import OmniClient
from omni_pulumi.dynamic import Provider, Resource, output, secret_values
from omni_pulumi.lifecycle import (
    Args,
    Known,
    Lifecycle,
    OptionalText,
    Secret,
    State,
    Text,
    Uuid,
    changed_paths,
    describe_changes,
)
from omni_pulumi.settings import OMNI
from omni_pulumi.settle import look, settle

_log = logging.getLogger(__name__)

_ATTEMPTS = 3

_SET_IN_OMNI = pydantic.SecretStr("(set in Omni)")
"""Stands for a secret that the program did not set: Omni never returns one."""

_WAS_SECRET = "(was secret)"  # noqa: S105 - a text that people read
"""Stands for the value of a secret that somebody made plain: Omni returns it now, and it still must not be shown."""


def _not_in_variables(
    secret_variables: dict[str, pydantic.SecretStr], info: pydantic.ValidationInfo
) -> dict[str, pydantic.SecretStr]:
    variables = info.data.get("variables")
    twice = sorted({*secret_variables} & {*variables}) if isinstance(variables, Mapping) else []
    if twice:
        raise ValueError(f"has names that are in variables too: {', '.join(twice)}")
    return secret_variables


class DbtEnvironmentArgs(Args):
    """Arguments of :class:`DbtEnvironment`."""

    connection_id: Known[Uuid] = pydantic.Field(description="UUID of the Omni connection. Changing it replaces.")
    name: Known[Text] = pydantic.Field(description="Name of the environment.")
    target_schema: Known[Text] = pydantic.Field(description="Target schema.")
    target_database: Known[OptionalText] = pydantic.Field(default=None, description="Target database override.")
    target_name: Known[OptionalText] = pydantic.Field(default=None, description="Target name override.")
    target_role: Known[OptionalText] = pydantic.Field(default=None, description="Target role override.")
    owner_id: Known[Uuid | None] = pydantic.Field(
        default=None,
        description="UUID of the user who owns the environment; needs an organization API key. When it is left out, "
        "Omni decides: shared with an organization key, the key's user with a personal access token.",
    )
    variables: Known[dict[Text, Known[str]]] = pydantic.Field(
        default_factory=dict, description="Environment variables, values by name."
    )
    secret_variables: Known[Annotated[dict[Text, Known[Secret]], pydantic.AfterValidator(_not_in_variables)]] = (
        pydantic.Field(
            default_factory=dict,
            description="Secret environment variables, values by name, secret in the state even when plain here.",
        )
    )


class DbtEnvironmentState(State):
    """State of :class:`DbtEnvironment`."""

    connection_id: str
    name: str = ""
    target_schema: str = ""
    target_database: str | None = None
    target_name: str | None = None
    target_role: str | None = None
    owner_id: str | None = None
    variables: dict[str, str] = pydantic.Field(default_factory=dict)
    secret_variables: dict[str, Secret] = pydantic.Field(default_factory=dict)
    environment_id: str = ""
    is_default_environment: bool = False
    retained_variables: list[str] = pydantic.Field(default_factory=list)


def create(client: OmniClient, args: DbtEnvironmentArgs) -> DbtEnvironmentState:
    """Create the environment, unless one of the same name and owner exists that the program has not taken over.

    Without an owner in the program Omni chooses one, so whether an owner has two of the name shows only afterwards.
    """
    before = client.list_dbt_environments(args.connection_id)
    twin = _find(before, args.name, args.owner_id)
    if twin is None and args.adopt:  # the list may be behind, most of all one that is about to show the default one
        twin = look(
            lambda: _find(client.list_dbt_environments(args.connection_id, fresh=True), args.name, args.owner_id)
        )
    if twin is None:
        created = _create(client, args, before)
        twin = _find(before, args.name, _owner(client, args, created))
        if twin is None:
            return _written(client, args, created)
        _undo(client, args, created)
    if not args.adopt:
        known = _merge(DbtEnvironmentState.from_args(args), twin)
        changes = describe_changes(known, args)
        raise AlreadyExistsError(
            f'Connection {args.connection_id} has a dbt environment "{args.name}" already ({twin.id}, owner '
            f"{twin.owner_id or 'none: it is shared'}). Set adopt=True to take it over, which changes {changes}.",
            operation=f'create dbt environment "{args.name}" of connection {args.connection_id}',
            resource_id=twin.id,
            changes=changed_paths(known, args),
        )
    return _write(client, args, twin)


def read(client: OmniClient, state: DbtEnvironmentState) -> DbtEnvironmentState | None:
    """Read the environment from the list of its connection's."""
    current = _current(client, state, fresh=False) or look(lambda: _current(client, state))
    return None if current is None else _merge(state, current)


def update(client: OmniClient, state: DbtEnvironmentState, args: DbtEnvironmentArgs) -> DbtEnvironmentState:
    """Write the whole environment, or create it anew when it was deleted meanwhile."""
    current = look(lambda: _current(client, state))
    if current is not None:
        try:
            return _write(client, args, current, owned=state.owner_id is not None)
        except NotFoundError:
            if look(lambda: _current(client, state)) is not None:
                raise
    _log.warning('dbt environment "%s" was deleted outside Pulumi and is created again', args.name)
    return create(client, args)


def delete(client: OmniClient, state: DbtEnvironmentState) -> None:
    """Delete the environment. The default one belongs to the dbt configuration and stays."""
    if state.is_default_environment:
        _log.warning('"%s" is the default environment of connection %s: it stays', state.name, state.connection_id)
        return
    try:
        client.delete_dbt_environment(state.connection_id, state.environment_id)
    except NotFoundError:
        if look(lambda: _current(client, state)) is not None:
            raise


def _find(environments: Sequence[omni.DbtEnvironment], name: str, owner_id: str | None) -> omni.DbtEnvironment | None:
    return next((e for e in environments if e.name == name and e.owner_id == owner_id), None)


def _current(client: OmniClient, state: DbtEnvironmentState, *, fresh: bool = True) -> omni.DbtEnvironment | None:
    environments = client.list_dbt_environments(state.connection_id, fresh=fresh)
    return next((e for e in environments if e.id == state.environment_id), None)


def _create(client: OmniClient, args: DbtEnvironmentArgs, before: Sequence[omni.DbtEnvironment]) -> omni.DbtEnvironment:
    known = {environment.id for environment in before}
    requests = 0

    def create_one() -> omni.DbtEnvironment:
        nonlocal requests
        requests += 1
        return client.create_dbt_environment(args.connection_id, _body(args))

    def new() -> list[omni.DbtEnvironment]:
        """The default environment is new as well where the list was behind, but no request makes one."""
        after = client.list_dbt_environments(args.connection_id, fresh=True)
        same = (e for e in after if e.id not in known and e.name == args.name and not e.is_default_environment)
        return [e for e in same if args.owner_id in {None, e.owner_id}]

    created = settle(create_one, lambda: next(iter(new()), None))
    if requests > 1:
        _tell_of_late_ones(args, created, new)
    return created


def _tell_of_late_ones(
    args: DbtEnvironmentArgs, created: omni.DbtEnvironment, new: Callable[[], Sequence[omni.DbtEnvironment]]
) -> None:
    """Omni takes a name twice, so a request without an answer that is carried out after all makes a second one."""
    try:
        late = [e.id for e in new() if e.id != created.id]
    except Error:
        return
    if late:
        _log.warning(
            'dbt environment "%s" (%s) was made, and there is another new one of the name: %s. If that comes from a '
            "request whose answer got lost, delete it in Omni",
            args.name,
            created.id,
            ", ".join(late),
        )


def _undo(client: OmniClient, args: DbtEnvironmentArgs, created: omni.DbtEnvironment) -> None:
    try:
        delete(client, _state(args, created.id))
    except Error as error:
        raise PartlyCreatedError(
            f'A second dbt environment "{args.name}" ({created.id}) was made for the same owner and could not be '
            f"deleted again: {error} Delete it in Omni, then run the same command again.",
            operation=f'create dbt environment "{args.name}" of connection {args.connection_id}',
            resource_id=created.id,
        ) from None


def _write(
    client: OmniClient, args: DbtEnvironmentArgs, current: omni.DbtEnvironment, *, owned: bool = False
) -> DbtEnvironmentState:
    """Make ``current`` what the program says. ``owned`` tells that the program named an owner until now.

    A new variable has no ID yet and an old one may have lost its own meanwhile, so after a refusal or a lost answer the
    request is made anew from what Omni has then, and only then sent again.
    """
    outcome_unknown = False
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            answer = client.update_dbt_environment(args.connection_id, current.id, _body(args, current, owned=owned))
            return _written(client, args, answer, is_default=current.is_default_environment)
        except Error as error:
            is_last = attempt == _ATTEMPTS or not (isinstance(error, BadRequestError) or error.outcome_unknown)
            error.outcome_unknown = outcome_unknown = outcome_unknown or error.outcome_unknown
            if is_last:
                raise
            now = _after(client, args, current.id, error)
            if now is None or (isinstance(error, BadRequestError) and _ids(now) == _ids(current)):
                raise
            current = now
    raise AssertionError("unreachable: the last attempt returns or raises")


def _after(
    client: OmniClient, args: DbtEnvironmentArgs, environment_id: str, error: Error
) -> omni.DbtEnvironment | None:
    """What Omni has after an update that failed with ``error``, ``None`` when the environment is gone.

    After a lost answer a variable without an ID would be made a second time, and a list may be behind: it is looked at
    until it has all.
    """
    state = _state(args, environment_id)
    now: omni.DbtEnvironment | None = None

    def complete() -> bool | None:
        nonlocal now
        now = _current(client, state)
        names = {*args.variables, *args.secret_variables}
        return True if isinstance(error, BadRequestError) or (now and names <= {*_ids(now)}) else None

    try:
        look(complete)
    except Error:
        raise error from None
    return now


def _state(args: DbtEnvironmentArgs, environment_id: str) -> DbtEnvironmentState:
    return DbtEnvironmentState.from_args(args).model_copy(update={"environment_id": environment_id})


def _owner(client: OmniClient, args: DbtEnvironmentArgs, created: omni.DbtEnvironment) -> str | None:
    """The owner of a new environment. What an answer lacks is looked up, and else taken to be as the program says."""
    if "owner_id" not in created.model_fields_set and args.owner_id is None:
        with contextlib.suppress(Error):  # what was made must get into the state
            created = look(lambda: _current(client, _state(args, created.id))) or created
    return created.owner_id if "owner_id" in created.model_fields_set else args.owner_id


def _ids(environment: omni.DbtEnvironment) -> dict[str, str]:
    return {variable.name: variable.id for variable in environment.variables or []}


def _written(
    client: OmniClient, args: DbtEnvironmentArgs, answer: omni.DbtEnvironment, *, is_default: bool = False
) -> DbtEnvironmentState:
    """The state after a write. What its answer lacks is read, and else taken to be as the program says."""
    state = _state(args, answer.id).model_copy(update={"is_default_environment": is_default})
    if answer.variables is None:
        try:
            answer = _current(client, state) or answer
        except Error as error:
            _log.warning('dbt environment "%s" was written and could not be read back: %s', args.name, error)
    declared = {*args.variables, *args.secret_variables}
    retained = sorted({variable.name for variable in answer.variables or []} - declared)
    if retained:
        _log.warning(
            'Omni kept variables of dbt environment "%s": delete them there: %s', args.name, ", ".join(retained)
        )
    return _merge(state.model_copy(update={"retained_variables": retained}), answer)


def _body(
    args: DbtEnvironmentArgs, current: omni.DbtEnvironment | None = None, *, owned: bool = False
) -> omni.DbtEnvironmentBody:
    """Everything that is managed. What is not, the owner that Omni chose and deferral, is sent back as it is."""
    ids = {} if current is None else _ids(current)
    secrets = {name: value.get_secret_value() for name, value in args.secret_variables.items()}
    body = omni.DbtEnvironmentBody(
        name=args.name,
        target_schema=args.target_schema,
        target_database=args.target_database,
        target_name=args.target_name,
        target_role=args.target_role,
        variables=[
            omni.VariableBody.of(ids.get(name), name, value, is_secret=name in secrets)
            for name, value in {**args.variables, **secrets}.items()
        ],
    )
    unmanaged: dict[str, str | bool | None] = {}
    if args.owner_id is not None or owned:
        unmanaged["owner_id"] = args.owner_id
    elif current is not None and current.owner_id is not None:
        unmanaged["owner_id"] = current.owner_id
    if current is not None and current.is_deferral_enabled is not None:
        unmanaged["is_deferral_enabled"] = current.is_deferral_enabled
    return body.model_copy(update=unmanaged)


def _merge(state: DbtEnvironmentState, current: omni.DbtEnvironment) -> DbtEnvironmentState:
    """The state with what an answer says. An owner that the program did not name is Omni's own business."""
    names = {"name", "target_schema", "target_database", "target_name", "target_role", "is_default_environment"}
    if state.owner_id is not None:
        names.add("owner_id")
    fields = {name: getattr(current, name) for name in names & current.model_fields_set}
    fields = {name: None if value == "" else value for name, value in fields.items()}
    if current.variables is not None:
        fields.update(_variables(state, current.variables))
    return state.model_copy(update=fields)


def _variables(state: DbtEnvironmentState, variables: list[omni.Variable]) -> dict[str, object]:
    """The variables of an answer, without those that Omni keeps although the program has dropped them."""
    declared = {*state.variables, *state.secret_variables}
    retained = [v.name for v in variables if v.name in state.retained_variables and v.name not in declared]
    plain: dict[str, str] = {}
    secret: dict[str, pydantic.SecretStr] = {}
    for variable in variables:
        if variable.name in retained:
            continue
        if variable.is_secret:
            secret[variable.name] = state.secret_variables.get(variable.name, _SET_IN_OMNI)
        elif variable.name in state.secret_variables or state.variables.get(variable.name) == _WAS_SECRET:
            plain[variable.name] = _WAS_SECRET
        else:
            plain[variable.name] = variable.value or ""
    return {"variables": plain, "secret_variables": secret, "retained_variables": retained}


LIFECYCLE = Lifecycle(
    service=OMNI,
    connect=OmniClient,
    args=DbtEnvironmentArgs,
    state=DbtEnvironmentState,
    id_of=lambda state: f"{state.connection_id}/{state.environment_id}",
    identity=frozenset({"connection_id", "name", "owner_id"}),
    create=create,
    read=read,
    update=update,
    delete=delete,
    replace_on=frozenset({"connection_id"}),
)


class DbtEnvironmentProvider(Provider[OmniClient, DbtEnvironmentArgs, DbtEnvironmentState]):
    """Serves :class:`DbtEnvironment` to the engine."""

    lifecycle = LIFECYCLE


class DbtEnvironment(Resource, module="omni", name="DbtEnvironment"):
    """A dbt environment of an Omni connection. Its ID is ``<connection_id>/<environment_id>``."""

    connection_id: pulumi.Output[str] = output()
    """UUID of the connection, lower-case."""
    name: pulumi.Output[str] = output()
    """Name of the environment."""
    target_schema: pulumi.Output[str] = output()
    """Target schema."""
    target_database: pulumi.Output[str | None] = output()
    """Target database override."""
    target_name: pulumi.Output[str | None] = output()
    """Target name override."""
    target_role: pulumi.Output[str | None] = output()
    """Target role override."""
    owner_id: pulumi.Output[str | None] = output()
    """UUID of the owner that the program named."""
    variables: pulumi.Output[dict[str, str]] = output()
    """Environment variables, values by name."""
    secret_variables: pulumi.Output[dict[str, str]] = output()
    """Secret environment variables, values by name; a secret output."""
    environment_id: pulumi.Output[str] = output()
    """UUID of the environment."""
    is_default_environment: pulumi.Output[bool] = output()
    """Whether Omni created the environment with the dbt configuration; such a one is never deleted."""
    retained_variables: pulumi.Output[list[str]] = output()
    """Names of variables that the program dropped and Omni kept."""

    def __init__(
        self,
        resource_name: str,
        *,
        connection_id: pulumi.Input[str],
        name: pulumi.Input[str],
        target_schema: pulumi.Input[str],
        target_database: pulumi.Input[str] | None = None,
        target_name: pulumi.Input[str] | None = None,
        target_role: pulumi.Input[str] | None = None,
        owner_id: pulumi.Input[str] | None = None,
        variables: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        secret_variables: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        adopt: bool | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the environment; :class:`DbtEnvironmentArgs` describes each argument."""
        arguments = {
            "connection_id": connection_id,
            "name": name,
            "target_schema": target_schema,
            "target_database": target_database,
            "target_name": target_name,
            "target_role": target_role,
            "owner_id": owner_id,
            "variables": variables,
            "secret_variables": secret_values(secret_variables),
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(DbtEnvironmentProvider(), resource_name, arguments, opts)
