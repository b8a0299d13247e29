"""A dbt environment of an Omni connection, with its variables and secrets.

Source: https://docs.omni.co/api/dbt/update-dbt-environment. The surprising facts: one environment cannot be fetched,
only the list; variables are known by server IDs that an update needs; nobody says whether an update deletes the
variables that it leaves out.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

import pulumi
import pydantic
from pydantic.alias_generators import to_camel

from omni_pulumi.adoption import adopt, log_created, nearest_names, nothing_to_adopt, recreate, warn_about_kept
from omni_pulumi.api import omni
from omni_pulumi.api.errors import AlreadyManagedError, BadRequestError, Error, NotFoundError, PartlyCreatedError
from omni_pulumi.api.omni import OmniClient
from omni_pulumi.dynamic import Provider, Resource, output, secret_values
from omni_pulumi.lifecycle import (
    Adopt,
    Args,
    Claim,
    Known,
    Lifecycle,
    OptionalText,
    Secret,
    State,
    Text,
    Uuid,
    undeclared_fields,
)
from omni_pulumi.settings import OMNI
from omni_pulumi.settle import look, settle
from omni_pulumi.variables import (
    SET_IN_OMNI,
    WAS_SECRET,
    VariableUpdate,
    declared_names,
    is_glob,
    is_unmanaged,
    placeholders,
    plan_update,
    undeclared,
)

_log = logging.getLogger(__name__)

_ATTEMPTS = 3


def _not_in_variables(
    secret_variables: dict[str, pydantic.SecretStr], info: pydantic.ValidationInfo
) -> dict[str, pydantic.SecretStr]:
    variables = info.data.get("variables")
    twice = sorted({*secret_variables} & {*variables}) if isinstance(variables, Mapping) else []
    if twice:
        raise ValueError(f"has names that are in variables too: {', '.join(twice)}")
    return secret_variables


def _unmanaged(patterns: list[str] | None, info: pydantic.ValidationInfo) -> list[str] | None:
    """Order and repetition mean nothing here. A glob may match a declared name, which then counts as declared."""
    if not patterns:
        return None
    maps = (info.data.get(field) for field in ("variables", "secret_variables"))
    declared = {name for known in maps if isinstance(known, Mapping) for name in known}
    twice = sorted(name for name in {*patterns} & declared if not is_glob(name))
    if twice:
        raise ValueError(f"has names that the program declares: {', '.join(twice)}")
    return sorted({*patterns}) if all(isinstance(pattern, str) for pattern in patterns) else patterns


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
    unmanaged_variables: Known[Annotated[list[Known[Text]] | None, pydantic.AfterValidator(_unmanaged)]] = (
        pydantic.Field(
            default=None,
            description='Names of variables that somebody else manages, or globs such as `"TEAM_*"`. Omni keeps these '
            "variables, and they are never compared.",
        )
    )
    secrets_trigger: Known[str | None] = pydantic.Field(
        default=None,
        description="Any text. Changing it writes all declared secrets again, because a drift of a secret cannot be "
        "seen.",
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
    unmanaged_variables: list[str] | None = None
    secrets_trigger: str | None = None
    environment_id: str = ""
    is_default_environment: bool = False
    retained_variables: list[str] = pydantic.Field(default_factory=list)


def create(client: OmniClient, args: DbtEnvironmentArgs, claim: Claim) -> DbtEnvironmentState:
    """Create the environment, or adopt the one of the same name and owner.

    Without an owner in the program Omni chooses one, so whether an owner has two of the name shows only afterwards.
    """
    before = client.list_dbt_environments(args.connection_id)
    existing = _find(before, args.name, args.owner_id)
    if existing is None and args.adopt:  # the list may be behind, most of all one that is about to show the default one
        existing = look(
            lambda: _find(client.list_dbt_environments(args.connection_id, fresh=True), args.name, args.owner_id)
        )
    if existing is not None and _claims(args, existing, claim):
        return _adopt(client, args, existing)
    if args.adopt == "existing":
        raise nothing_to_adopt(_describe(args), _nearest(client, args))
    created, plan = _create(client, args, before)
    existing = _conflicting(client, args, created, before)
    if existing is None:
        state = _written(client, args, created, plan)
        log_created(_describe(args), created.id, args)
        return state
    _undo(client, args, created)
    claim(LIFECYCLE.id_of(_state(args, existing.id)))
    return _adopt(client, args, existing)


def read(client: OmniClient, state: DbtEnvironmentState) -> DbtEnvironmentState | None:
    """Read the environment from the list of its connection's."""
    current = _current(client, state, fresh=False) or look(lambda: _current(client, state))
    return None if current is None else _merge(state, current)


def update(
    client: OmniClient, state: DbtEnvironmentState, args: DbtEnvironmentArgs, claim: Claim
) -> DbtEnvironmentState:
    """Write the whole environment, or create it again when it was deleted outside Pulumi."""
    current = _current(client, state, fresh=False) or look(lambda: _current(client, state))
    if current is not None:
        try:
            return _write(client, args, current, known=state)
        except NotFoundError:
            if look(lambda: _current(client, state)) is not None:
                raise
    return create(client, recreate(_describe(args), state.environment_id, args, lost=_only_in_omni(state)), claim)


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


def _create(
    client: OmniClient, args: DbtEnvironmentArgs, before: Sequence[omni.DbtEnvironment]
) -> tuple[omni.DbtEnvironment, VariableUpdate]:
    plan = plan_update(args, [], None)
    known = {environment.id for environment in before}
    requests = 0

    def create_one() -> omni.DbtEnvironment:
        nonlocal requests
        requests += 1
        return client.create_dbt_environment(args.connection_id, _body(args, plan))

    def new() -> list[omni.DbtEnvironment]:
        """The default environment is new as well where the list was behind, but no request makes one."""
        after = client.list_dbt_environments(args.connection_id, fresh=True)
        same = (e for e in after if e.id not in known and e.name == args.name and not e.is_default_environment)
        return [e for e in same if args.owner_id in {None, e.owner_id}]

    created = settle(create_one, lambda: next(iter(new()), None))
    if requests > 1:
        _tell_of_late_ones(args, created, new)
    return created, plan


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


def _claims(args: DbtEnvironmentArgs, existing: omni.DbtEnvironment, claim: Claim) -> bool:
    """Claim an environment, or return ``False`` when it may have another owner than the one that Omni would choose.

    That is so when another resource of the program manages it with another key, and this one names no owner.
    """
    try:
        claim(LIFECYCLE.id_of(_state(args, existing.id)))
    except AlreadyManagedError as error:
        if error.same_key or args.owner_id is not None:
            raise
        return False
    return True


def _adopt(client: OmniClient, args: DbtEnvironmentArgs, existing: omni.DbtEnvironment) -> DbtEnvironmentState:
    """Adopt an environment. A declared secret is always written, because nobody can tell which value Omni has."""
    state = _state(args, existing.id)
    current = _merge(state.model_copy(update={"variables": {}, "secret_variables": {}}), existing)
    return adopt(
        _describe(args) + (f" owned by {existing.owner_id}" if existing.owner_id else ""),
        existing.id,
        args,
        current,
        write=lambda: _write(client, args, existing),
        undeclared=[
            *(to_camel(name) for name in undeclared_fields(current, args)),
            *(f"variables.{name}" for name in undeclared(args, existing.variables or [])),
        ],
        way_out="Declare them, or list the variables in unmanaged_variables.",
    )


def _write(
    client: OmniClient,
    args: DbtEnvironmentArgs,
    current: omni.DbtEnvironment,
    *,
    known: DbtEnvironmentState | None = None,
) -> DbtEnvironmentState:
    """Make ``current`` what the program says. ``known`` is the state, ``None`` for an environment that is adopted.

    What neither the program nor the state knows stays as it is. A new variable has no ID yet and an old one may have
    lost its own meanwhile, so after a refusal or a lost answer the request is built again from what Omni has then.
    """
    outcome_unknown = False
    for attempt in range(1, _ATTEMPTS + 1):
        plan = plan_update(args, current.variables or [], known)
        kept = undeclared_fields(_merge(_state(args, current.id), current), args, known)
        owned = known is not None and known.owner_id is not None
        body = _body(args.model_copy(update=kept), plan, current, owned=owned)
        try:
            answer = client.update_dbt_environment(args.connection_id, current.id, body)
        except Error as error:
            is_last = attempt == _ATTEMPTS or not (isinstance(error, BadRequestError) or error.outcome_unknown)
            error.outcome_unknown = outcome_unknown = outcome_unknown or error.outcome_unknown
            if is_last:
                raise
            now = _after(client, args, current.id, error, plan)
            if now is None or (isinstance(error, BadRequestError) and _ids(now) == _ids(current)):
                raise
            current = now
        else:
            state = _written(client, args, answer, plan, is_default=current.is_default_environment)
            _warn_about_kept(args, plan, kept)
            return state.model_copy(update=dict.fromkeys(kept))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _warn_about_kept(args: DbtEnvironmentArgs, plan: VariableUpdate, kept: Iterable[str]) -> None:
    warn_about_kept(_describe(args), [*map(to_camel, kept), *(f"variables.{name}" for name in plan.unknown)])
    if plan.released:
        _log.warning(
            "%s: unmanaged_variables no longer lists %s. This update keeps them; after a refresh the program decides "
            "about them",
            _describe(args),
            ", ".join(plan.released),
        )


def _after(
    client: OmniClient, args: DbtEnvironmentArgs, environment_id: str, error: Error, plan: VariableUpdate
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
        names = declared_names(args) - {*plan.missing}
        return True if isinstance(error, BadRequestError) or (now and names <= {*_ids(now)}) else None

    try:
        look(complete)
    except Error:
        raise error from None
    return now


def _state(args: DbtEnvironmentArgs, environment_id: str) -> DbtEnvironmentState:
    return DbtEnvironmentState.from_args(args).model_copy(update={"environment_id": environment_id})


def _conflicting(
    client: OmniClient, args: DbtEnvironmentArgs, created: omni.DbtEnvironment, before: Sequence[omni.DbtEnvironment]
) -> omni.DbtEnvironment | None:
    """The environment that has the name and the owner of a new one.

    When Omni chose the owner, ``before`` is not recent enough: another profile of the program may use another key of
    the same instance, and has a list of its own.
    """
    owner = _owner(client, args, created)
    if owner != args.owner_id:
        with contextlib.suppress(Error):  # what was made must get into the state
            before = client.list_dbt_environments(args.connection_id)
    return _find([each for each in before if each.id != created.id], args.name, owner)


def _owner(client: OmniClient, args: DbtEnvironmentArgs, created: omni.DbtEnvironment) -> str | None:
    """The owner of a new environment. What an answer lacks is looked up, and else taken to be as the program says."""
    if "owner_id" not in created.model_fields_set and args.owner_id is None:
        with contextlib.suppress(Error):  # what was made must get into the state
            created = look(lambda: _current(client, _state(args, created.id))) or created
    return created.owner_id if "owner_id" in created.model_fields_set else args.owner_id


def _ids(environment: omni.DbtEnvironment) -> dict[str, str]:
    return {variable.name: variable.id for variable in environment.variables or []}


def _written(
    client: OmniClient,
    args: DbtEnvironmentArgs,
    answer: omni.DbtEnvironment,
    plan: VariableUpdate,
    *,
    is_default: bool = False,
) -> DbtEnvironmentState:
    """The state after a write. What its answer lacks is read, and else taken to be as the program says."""
    state = _state(args, answer.id).model_copy(update={"is_default_environment": is_default})
    if answer.variables is None:
        try:
            answer = _current(client, state) or answer
        except Error as error:
            _log.warning('dbt environment "%s" was written and could not be read back: %s', args.name, error)
    if plan.missing:
        _log.warning(
            "%s: Omni no longer has %s, and only Omni had the values. Set them again",
            _describe(args),
            ", ".join(plan.missing),
        )
    if answer.variables is not None:
        variables = [variable for variable in answer.variables if variable.name not in plan.kept]
        answer = answer.model_copy(update={"variables": variables})
    names = {variable.name for variable in answer.variables or [] if not is_unmanaged(variable.name, args)}
    retained = sorted(names - declared_names(args))
    if retained:
        _log.warning(
            'Omni kept variables of dbt environment "%s": delete them there: %s', args.name, ", ".join(retained)
        )
    return _merge(state.model_copy(update={"retained_variables": retained}), answer)


def _body(
    args: DbtEnvironmentArgs, plan: VariableUpdate, current: omni.DbtEnvironment | None = None, *, owned: bool = False
) -> omni.DbtEnvironmentBody:
    """The request of a write. The owner that Omni chose and deferral are not managed, and sent back as they are."""
    body = omni.DbtEnvironmentBody(
        name=args.name,
        target_schema=args.target_schema,
        target_database=args.target_database,
        target_name=args.target_name,
        target_role=args.target_role,
        variables=plan.bodies,
    )
    unmanaged: dict[str, str | bool | None] = {}
    if args.owner_id is not None or owned:
        unmanaged["owner_id"] = args.owner_id
    elif current is not None and current.owner_id is not None:
        unmanaged["owner_id"] = current.owner_id
    if current is not None and current.is_deferral_enabled is not None:
        unmanaged["is_deferral_enabled"] = current.is_deferral_enabled
    return body.model_copy(update=unmanaged)


def _describe(it: DbtEnvironmentArgs | DbtEnvironmentState) -> str:
    return f'dbt environment "{it.name}" of connection {it.connection_id}'


def _nearest(client: OmniClient, args: DbtEnvironmentArgs) -> list[str]:
    """The environments that a program may mean: of another owner, or of a name that is alike."""
    environments = client.list_dbt_environments(args.connection_id)
    names = nearest_names(args.name, (e.name for e in environments))
    nearest = (e for name in names for e in environments if e.name == name)
    return [f'"{e.name}" ({e.id}, owner {e.owner_id or "none"})' for e in nearest]


def _only_in_omni(state: DbtEnvironmentState) -> list[str]:
    """Return the variables that cannot be created again, because their values are in Omni alone."""
    return sorted({*(state.unmanaged_variables or ()), *placeholders(state)})


def diff_warning(state: DbtEnvironmentState, args: DbtEnvironmentArgs) -> str | None:
    """A replacement deletes variables whose values are in Omni alone. The state has the names of the last refresh."""
    lost = _only_in_omni(state)
    if not lost or (args.connection_id, args.profile) == (state.connection_id, state.profile):
        return None
    return (
        f"{_describe(args)}: the replacement cannot carry over {', '.join(lost)}, because only Omni has the values. "
        "Set them again in the new environment"
    )


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
    """The variables of an answer, without the unmanaged and the retained ones."""
    declared = declared_names(state)
    retained = [v.name for v in variables if v.name in state.retained_variables and v.name not in declared]
    plain: dict[str, str] = {}
    secret: dict[str, pydantic.SecretStr] = {}
    for variable in variables:
        name = variable.name
        if name in retained or (name not in declared and is_unmanaged(name, state)):
            continue
        if variable.is_secret:
            secret[name] = state.secret_variables.get(name, SET_IN_OMNI)
        elif name in state.secret_variables or state.variables.get(name) == WAS_SECRET:
            plain[name] = WAS_SECRET
        else:
            plain[name] = variable.value or ""
    return {"variables": plain, "secret_variables": secret, "retained_variables": retained}


LIFECYCLE = Lifecycle(
    service=OMNI,
    connect=OmniClient,
    args=DbtEnvironmentArgs,
    state=DbtEnvironmentState,
    id_of=lambda state: f"{state.connection_id}/{state.environment_id}",
    describe=_describe,
    identity=frozenset({"connection_id", "name"}),
    create=create,
    read=read,
    update=update,
    delete=delete,
    replace_on=frozenset({"connection_id"}),
    parent="connection_id",
    diff_warning=diff_warning,
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
    unmanaged_variables: pulumi.Output[list[str] | None] = output()
    """Names and globs of the variables that somebody else manages, in alphabetical order."""
    secrets_trigger: pulumi.Output[str | None] = output()
    """The trigger of the last write of all declared secrets."""
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
        unmanaged_variables: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        secrets_trigger: pulumi.Input[str] | None = None,
        adopt: Adopt | None = None,
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
            "unmanaged_variables": unmanaged_variables,
            "secrets_trigger": secrets_trigger,
            "adopt": adopt,
            "profile": profile,
        }
        super().__init__(DbtEnvironmentProvider(), resource_name, arguments, opts)
