"""A dbt environment of an Omni connection, with its variables and secrets.

Source: https://docs.omni.co/api/dbt/update-dbt-environment. The surprising facts: Omni returns environments only in a
list; an update needs the IDs of the variables; no source says whether an update deletes the variables that it leaves
out.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import pulumi
import pydantic

from omni_pulumi.adoption import (
    ADOPT_IF_CREATED,
    LEAVE_TO_OTHERS,
    adopt,
    describe_with_id,
    log_created,
    nearest_names,
    nothing_to_adopt,
    warn_about_kept,
)
from omni_pulumi.api.omni import models
from omni_pulumi.api.omni.dbt_environments import DbtEnvironments, find_by_id, find_by_name
from omni_pulumi.api.retry import LIMITS, create_once, poll
from omni_pulumi.changes import undeclared_fields
from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.dynamic.resource import Resource, output, secret_values
from omni_pulumi.errors import AlreadyExistsError, AlreadyManagedError, BadRequestError, Error, PartlyCreatedError
from omni_pulumi.fields import (
    Adopt,
    Args,
    ConnectionId,
    ContradictionError,
    ConvertedBy,
    Identifies,
    Key,
    Line,
    MaybeUnknown,
    OptionalLine,
    ParentId,
    Replaces,
    Secret,
    State,
    Text,
    Uuid,
    common_fields,
    rule,
)
from omni_pulumi.lifecycle import Claims
from omni_pulumi.services import OmniLifecycle
from omni_pulumi.variables import (
    SET_IN_OMNI,
    WAS_SECRET,
    VariableUpdate,
    declared_names,
    is_glob,
    is_unmanaged,
    merge_variables,
    placeholders,
    plan_update,
    undeclared,
)

if TYPE_CHECKING:
    from omni_pulumi.api.omni.client import OmniClient

_log = logging.getLogger(__name__)


def _not_in_variables(
    secret_variables: dict[str, pydantic.SecretStr], info: pydantic.ValidationInfo
) -> dict[str, pydantic.SecretStr]:
    """Refuse a name that is in both maps, unless one of them has a placeholder, which no program contains.

    If a secret becomes plain in Omni, or the other way around, ``ignore_changes`` keeps the placeholder of one map.
    """
    variables = info.data.get("variables")
    if not isinstance(variables, dict):
        return secret_variables
    for name in {*variables} & {*secret_variables}:
        if variables[name] == WAS_SECRET:
            del variables[name]
        elif secret_variables[name] == SET_IN_OMNI:
            del secret_variables[name]
    twice = sorted({*secret_variables} & {*variables})
    if twice:
        raise ContradictionError(f"has names that are in variables too: {', '.join(twice)}", "variables")
    return secret_variables


def _unmanaged(patterns: list[str] | None, info: pydantic.ValidationInfo) -> list[str] | None:
    """Sort the patterns, because their order means nothing. A glob does not apply to a declared name."""
    if not patterns:
        return None
    maps = (info.data.get(field) for field in ("variables", "secret_variables"))
    declared = {name for known in maps if isinstance(known, Mapping) for name in known}
    twice = sorted(name for name in {*patterns} & declared if not is_glob(name))
    if twice:
        raise ContradictionError(
            f"has names that the program declares: {', '.join(twice)}", "variables", "secret_variables"
        )
    return sorted({*patterns}) if all(isinstance(pattern, str) for pattern in patterns) else patterns


class DbtEnvironmentArgs(Args):
    """Arguments of :class:`DbtEnvironment`."""

    connection_id: Annotated[MaybeUnknown[ConnectionId], ParentId(), Identifies(), Replaces()] = pydantic.Field(
        description="UUID of the Omni connection."
    )
    name: Annotated[MaybeUnknown[Text], Identifies()] = pydantic.Field(description="Name of the environment.")
    target_schema: MaybeUnknown[Line] = pydantic.Field(description="Target schema.")
    target_database: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="Target database override.")
    target_name: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="Target name override.")
    target_role: MaybeUnknown[OptionalLine] = pydantic.Field(default=None, description="Target role override.")
    owner_id: Annotated[MaybeUnknown[Uuid | None], Identifies(is_optional=True)] = pydantic.Field(
        default=None,
        description="UUID of the user who owns the environment. Requires an organization API key. By default Omni "
        "decides: shared with an organization API key, the token's user with a personal access token.",
    )
    variables: MaybeUnknown[dict[Key, MaybeUnknown[str]]] = pydantic.Field(
        default_factory=dict, description="Environment variables, values by name."
    )
    secret_variables: Annotated[
        MaybeUnknown[Annotated[dict[Key, MaybeUnknown[Secret]], rule(_not_in_variables)]],
        ConvertedBy(secret_values),
    ] = pydantic.Field(
        default_factory=dict,
        description="Secret environment variables, values by name. The state encrypts the values, even if they are "
        "plain in the program.",
    )
    unmanaged_variables: MaybeUnknown[Annotated[list[MaybeUnknown[Text]] | None, rule(_unmanaged)]] = pydantic.Field(
        default=None,
        description='Names of variables that are managed elsewhere, or globs such as `"TEAM_*"`. Omni keeps these '
        "variables, and they are never compared.",
    )
    secrets_trigger: MaybeUnknown[str | None] = pydantic.Field(
        default=None,
        description="Any text. Changing it writes all declared secrets again, because drift of a secret cannot be "
        "detected.",
    )


SHARED = "shared"
"""Stands for the owner of an environment that has none."""

_REQUIRED = frozenset(name for name, field in DbtEnvironmentArgs.model_fields.items() if field.is_required())
"""The arguments whose empty text does not mean "none"."""


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
    environment_id: str = pydantic.Field(default="", description="UUID of the environment.")
    is_default_environment: bool = pydantic.Field(
        default=False,
        description="Whether Omni created the environment with the dbt configuration. Such an environment is never "
        "deleted.",
    )
    retained_variables: list[str] = pydantic.Field(
        default_factory=list, description="Names of variables that the program dropped and Omni kept."
    )
    current_owner: str | None = pydantic.Field(
        default=None, description="UUID of the user who owns the environment, or `shared`. A refresh shows its change."
    )


class DbtEnvironmentLifecycle(OmniLifecycle[DbtEnvironmentArgs, DbtEnvironmentState]):
    """How a dbt environment is created, read, updated and deleted."""

    args_model = DbtEnvironmentArgs
    state_model = DbtEnvironmentState
    observed = frozenset({"currentOwner"})

    def describe(self, resource: DbtEnvironmentArgs | DbtEnvironmentState) -> str:
        """Return the object in words, for messages."""
        return _describe(resource)

    def id_of(self, state: DbtEnvironmentState) -> str:
        """Return ``<connection_id>/<environment_id>``."""
        return _pulumi_id(state.connection_id, state.environment_id)

    def chosen(self, state: DbtEnvironmentState) -> tuple[object, ...]:
        """Return the owner that Omni has, or else the declared one."""
        return (state.current_owner or state.owner_id,)

    def create(self, client: OmniClient, args: DbtEnvironmentArgs, claims: Claims) -> DbtEnvironmentState:
        """Create the environment, or adopt the one with the same name and owner.

        If the program names no owner, Omni chooses one. Then only the response shows whether the owner already has an
        environment of this name.
        """
        environments = DbtEnvironments(client, args.connection_id)
        before = environments.cached()
        existing = find_by_name(before, args.name, args.owner_id)
        if existing is None and args.adopt:
            existing = environments.poll_name(args.name, args.owner_id)
        if existing is not None and _try_to_claim(args, existing, claims):
            return _adopt(environments, args, existing)
        if args.adopt == "existing":
            raise nothing_to_adopt(_describe(args), _similar(environments.cached(), args.name))
        created, plan = _create(environments, args, before)
        owner = _owner(environments, args, created)
        existing = _conflicting(environments, args, created, before, owner)
        if existing is None:
            state = _written(environments, args, created, plan, owner=owner)
            log_created(_describe(args), created.id, args, lost=self.lost_by_deletion(dict(args)))
            return state
        self._undo(client, args, created)
        claims(_pulumi_id(args.connection_id, existing.id))
        return _adopt(environments, args, existing)

    def read(self, client: OmniClient, state: DbtEnvironmentState) -> DbtEnvironmentState | None:
        """Find the environment in the list of its connection."""
        current = DbtEnvironments(client, state.connection_id).find(state.environment_id)
        return None if current is None else _merge(state, current)

    def update(
        self, client: OmniClient, state: DbtEnvironmentState, args: DbtEnvironmentArgs
    ) -> DbtEnvironmentState | None:
        """Write the whole environment."""
        environments = DbtEnvironments(client, state.connection_id)
        current = environments.find(state.environment_id)
        return None if current is None else _write(environments, args, current, known=state)

    def check_identity(
        self, client: OmniClient, state: DbtEnvironmentState, args: DbtEnvironmentArgs, claims: Claims
    ) -> None:
        """Refuse the name and the owner of another environment, because Omni accepts a name twice."""
        environments = DbtEnvironments(client, state.connection_id)
        current = environments.find(state.environment_id)
        if current is None:
            return
        owner = _next_owner(args, current, state)
        if (args.name, owner) == (current.name, current.owner_id):
            return

        def other(listed: Sequence[models.ListedDbtEnvironment]) -> models.ListedDbtEnvironment | None:
            found = find_by_name([each for each in listed if each.id != current.id], args.name, owner)
            is_given_up = found is not None and claims.gives_up(_pulumi_id(state.connection_id, found.id))
            return None if is_given_up else found

        found = other(environments.cached())
        # Another resource, which the engine has not checked yet, may give up the name.
        if found and not poll(lambda: other(environments.current()) is None or None):
            raise AlreadyExistsError(
                f"Cannot update {describe_with_id(_describe(state), current.id)}: {_describe(args)} ({found.id}) has "
                f"the same {'name' if owner is None else 'name and owner'}. Choose another name, or rename or delete "
                "that one first. If the program does so, let it do so in an update before this one.",
                operation=f"update {_describe(state)}",
                resource_id=found.id,
            )

    def delete(self, client: OmniClient, state: DbtEnvironmentState) -> None:
        """Delete the environment. The default environment belongs to the dbt configuration and stays."""
        if state.is_default_environment:
            _log.warning(
                '"%s" is the default environment of connection %s, so it is not deleted',
                state.name,
                state.connection_id,
            )
            return
        client.delete_dbt_environment(state.connection_id, state.environment_id)

    def exists(self, client: OmniClient, state: DbtEnvironmentState) -> bool:
        """Return whether the list has the environment."""
        return DbtEnvironments(client, state.connection_id).poll(state.environment_id) is not None

    def only_in_service(self, state: DbtEnvironmentState) -> list[str]:
        """Return the variables whose values only Omni knows."""
        return sorted({*(state.unmanaged_variables or ()), *placeholders(state)})

    def lost_by_deletion(self, arguments: Mapping[str, Any]) -> list[str]:
        """Return the variables that are managed elsewhere."""
        unmanaged = arguments["unmanaged_variables"]
        if isinstance(unmanaged, Sequence):
            return sorted(f"variables.{name}" for name in unmanaged)
        return [] if unmanaged is None else ["the unmanaged_variables"]

    def diff_warning(self, state: DbtEnvironmentState, args: DbtEnvironmentArgs) -> str | None:
        """Warn that a replacement deletes variables whose values only Omni knows."""
        lost = self.only_in_service(state)
        if not lost or (args.connection_id, args.profile) == (state.connection_id, state.profile):
            return None
        return (
            f"{_describe(args)}: the replacement cannot carry over {', '.join(lost)}, because only Omni knows the "
            "values. Set them again in the new environment"
        )

    def _undo(self, client: OmniClient, args: DbtEnvironmentArgs, created: models.DbtEnvironment) -> None:
        """Delete a new environment whose owner already had one of this name."""
        try:
            self.delete_if_exists(client, DbtEnvironmentState.from_args(args, environment_id=created.id))
        except Error as error:
            raise PartlyCreatedError(
                f"A second {_describe(args)} ({created.id}) was created for the same owner, and deleting it failed: "
                f"{error.message} Delete it in Omni, then run the command again.",
                operation=f"create {_describe(args)}",
                resource_id=created.id,
            ) from None


def _describe(resource: DbtEnvironmentArgs | DbtEnvironmentState) -> str:
    return f'dbt environment "{resource.name}" of connection {resource.connection_id}'


def _pulumi_id(connection_id: str, environment_id: str) -> str:
    return f"{connection_id}/{environment_id}"


def _similar(environments: Sequence[models.ListedDbtEnvironment], name: str) -> list[str]:
    """Return the environments with the same name and another owner, or with a similar name."""
    names = nearest_names(name, (e.name for e in environments))
    similar = (e for nearest in names for e in environments if e.name == nearest)
    return [f'"{e.name}" ({e.id}, owner {e.owner_id or "none"})' for e in similar]


def _try_to_claim(args: DbtEnvironmentArgs, existing: models.DbtEnvironment, claims: Claims) -> bool:
    """Claim an environment. Return ``False`` when Omni may choose another owner than that of the environment.

    That is possible when another resource of the program manages the environment with another key, and this resource
    names no owner.
    """
    try:
        claims(_pulumi_id(args.connection_id, existing.id))
    except AlreadyManagedError as error:
        if error.same_key or args.owner_id is not None:
            raise
        return False
    return True


def _adopt(
    environments: DbtEnvironments, args: DbtEnvironmentArgs, existing: models.DbtEnvironment
) -> DbtEnvironmentState:
    """Adopt an environment. Declared secrets are always written, because Omni does not return their values."""
    state = DbtEnvironmentState.from_args(args, environment_id=existing.id)
    current = _merge(state.model_copy(update={"variables": {}, "secret_variables": {}}), existing)
    fields = undeclared_fields(current, args)
    foreign = undeclared(args, existing.variables or [])
    return adopt(
        _describe(args) + (f" owned by {existing.owner_id}" if existing.owner_id else ""),
        existing.id,
        args,
        current,
        write=lambda: _write(environments, args, existing),
        undeclared=[
            *fields,
            *(f"variables.{name}" for name in foreign),
        ],
        advice=" ".join(
            [
                *(["To leave variables to others, list them in unmanaged_variables."] if foreign else []),
                *([LEAVE_TO_OTHERS] if fields else []),
            ]
        ),
    )


def _create(
    environments: DbtEnvironments, args: DbtEnvironmentArgs, before: Sequence[models.ListedDbtEnvironment]
) -> tuple[models.DbtEnvironment, VariableUpdate]:
    plan = plan_update(args, [], None)
    ids_before = {environment.id for environment in before}
    requests = 0

    def create() -> models.DbtEnvironment:
        nonlocal requests
        requests += 1
        return environments.create(_body(args, plan))

    def find_new() -> list[models.DbtEnvironment]:
        """Return new environments of this name. A new default environment comes from no request of this package."""
        same_name = (e for e in environments.current() if e.name == args.name and not e.is_default_environment)
        return [e for e in same_name if e.id not in ids_before and args.owner_id in {None, e.owner_id}]

    created = create_once(create, lambda: next(iter(find_new()), None), advice=ADOPT_IF_CREATED)
    if requests > 1:
        with contextlib.suppress(Error):  # the created environment must reach the state
            _warn_about_duplicates(args, created, find_new())
    return created, plan


def _warn_about_duplicates(
    args: DbtEnvironmentArgs, created: models.DbtEnvironment, new: Iterable[models.DbtEnvironment]
) -> None:
    """Omni accepts a name twice. So a request whose response was lost may create a second environment."""
    duplicates = [environment.id for environment in new if environment.id != created.id]
    if duplicates:
        _log.warning(
            "%s (%s) was created, but another new one with the same name exists: %s. If it is a duplicate from a "
            "retried request, delete it in Omni",
            _describe(args),
            created.id,
            ", ".join(duplicates),
        )


def _conflicting(
    environments: DbtEnvironments,
    args: DbtEnvironmentArgs,
    created: models.DbtEnvironment,
    before: Sequence[models.ListedDbtEnvironment],
    owner: str | None,
) -> models.ListedDbtEnvironment | None:
    """Return another environment with the name and the owner of a new one.

    When Omni chose the owner, the list is read again: another profile of the program may use another key of the same
    instance, whose client has a cache of its own.
    """
    if owner != args.owner_id:
        with contextlib.suppress(Error):  # the created environment must reach the state
            before = environments.current()
    return find_by_name([each for each in before if each.id != created.id], args.name, owner)


def _owner(environments: DbtEnvironments, args: DbtEnvironmentArgs, created: models.DbtEnvironment) -> str | None:
    """Return the owner of a new environment: from the response, from the list, or from the program."""
    if "owner_id" not in created.model_fields_set and args.owner_id is None:
        with contextlib.suppress(Error):  # the created environment must reach the state
            created = environments.poll(created.id) or created
    return created.owner_id if "owner_id" in created.model_fields_set else args.owner_id


def _write(
    environments: DbtEnvironments,
    args: DbtEnvironmentArgs,
    current: models.DbtEnvironment,
    *,
    known: DbtEnvironmentState | None = None,
) -> DbtEnvironmentState:
    """Change an environment to what the program declares. What neither the program nor the state has stays as it is.

    A new variable has no ID yet, and an existing one may get another ID. So after a refusal or a lost response the
    request is built again from what Omni has then.

    Args:
        environments: the environments of the connection.
        args: what the program declares.
        current: what Omni has.
        known: what the state has, ``None`` when the environment is adopted.
    """
    outcome_unknown = False
    for attempt in range(1, LIMITS.update + 1):
        plan = plan_update(args, current.variables or [], known)
        found = _merge(DbtEnvironmentState.from_args(args, environment_id=current.id), current)
        kept = undeclared_fields(found, args, known)
        owner = _next_owner(args, current, known)
        body = _body(args.model_copy(update=kept), plan, current, owner)
        try:
            answer = environments.update(current.id, body)
        except Error as error:
            outcome_unknown = outcome_unknown or error.outcome_unknown
            changed = _read_changed(environments, args, current, error, plan) if attempt < LIMITS.update else None
            if changed is None:
                raise error.replace(outcome_unknown=outcome_unknown) from None
            current = changed
        else:
            is_default = current.is_default_environment
            state = _written(environments, args, answer, plan, owner=owner, is_default=is_default)
            _warn_about_owner(state, args, owner)
            _warn_about_kept(args, plan, kept)
            return state.model_copy(update=dict.fromkeys(kept))  # only a refresh puts them into the state
    raise AssertionError("unreachable: the last attempt returns or raises")


def _read_changed(
    environments: DbtEnvironments,
    args: DbtEnvironmentArgs,
    current: models.DbtEnvironment,
    error: Error,
    plan: VariableUpdate,
) -> models.DbtEnvironment | None:
    """Return what Omni has after a failed update, ``None`` when building the request again would not help.

    After a refusal it helps if the IDs of variables have changed. After a lost response, a variable that the list lacks
    would be created a second time, so the list is read until it has all of them.
    """
    is_refused = isinstance(error, BadRequestError)
    if not is_refused and not error.outcome_unknown:
        return None
    found: models.DbtEnvironment | None = None

    def is_complete() -> bool | None:
        nonlocal found
        found = find_by_id(environments.current(), current.id)
        names = declared_names(args) - {*plan.missing}
        return True if is_refused or (found and names <= {*_variable_ids(found)}) else None

    try:
        poll(is_complete)
    except Error:
        return None
    if found is not None and is_refused and _variable_ids(found) == _variable_ids(current):
        return None
    return found


def _next_owner(
    args: DbtEnvironmentArgs, current: models.DbtEnvironment, known: DbtEnvironmentState | None
) -> str | None:
    """Return the owner after a write. A program that drops the owner makes the environment shared.

    An owner that the program never named is kept. The state has it when the list does not show it.
    """
    if args.owner_id is not None or (known is not None and known.owner_id is not None):
        return args.owner_id
    if "owner_id" in current.model_fields_set or known is None:
        return current.owner_id
    return None if known.current_owner == SHARED else known.current_owner


def _warn_about_owner(state: DbtEnvironmentState, args: DbtEnvironmentArgs, owner: str | None) -> None:
    """Warn when Omni has another owner after a write than it was sent."""
    if state.current_owner != (owner or SHARED):
        _log.warning(
            "%s: Omni has changed the owner from %s to %s. Declare owner_id to decide about it",
            _describe(args),
            owner or SHARED,
            state.current_owner,
        )


def _warn_about_kept(args: DbtEnvironmentArgs, plan: VariableUpdate, kept: Iterable[str]) -> None:
    warn_about_kept(_describe(args), [*kept, *(f"variables.{name}" for name in plan.unknown)])
    if plan.no_longer_unmanaged:
        _log.warning(
            "%s: unmanaged_variables no longer lists %s. This update keeps them, and the first one after a refresh "
            "deletes them. To keep them, declare them or list them again",
            _describe(args),
            ", ".join(plan.no_longer_unmanaged),
        )


def _written(
    environments: DbtEnvironments,
    args: DbtEnvironmentArgs,
    answer: models.DbtEnvironment,
    plan: VariableUpdate,
    *,
    owner: str | None,
    is_default: bool = False,
) -> DbtEnvironmentState:
    """Return the state after a write. Variables that the response lacks are read.

    Args:
        environments: the environments of the connection.
        args: what the program declares.
        answer: the response.
        plan: the variables that were sent.
        owner: the owner, if the response lacks it.
        is_default: whether it is the default environment.
    """
    state = DbtEnvironmentState.from_args(
        args, environment_id=answer.id, is_default_environment=is_default, current_owner=owner or SHARED
    )
    if answer.variables is None:
        try:
            answer = find_by_id(environments.current(), answer.id) or answer
        except Error as error:
            _log.warning(
                "%s was written, but reading it back failed: %s The state has the values of the program. Run `pulumi "
                "refresh` to verify them",
                _describe(args),
                error.message,
            )
    if plan.missing:
        _log.warning(
            "%s: Omni no longer has %s, and only Omni knew the values. Set them again",
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
            "%s: Omni did not delete %s, which the program no longer declares. Delete them in Omni, or list them in "
            "unmanaged_variables",
            _describe(args),
            ", ".join(retained),
        )
    return _merge(state.model_copy(update={"retained_variables": retained}), answer)


def _body(
    args: DbtEnvironmentArgs,
    plan: VariableUpdate,
    current: models.DbtEnvironment | None = None,
    owner: str | None = None,
) -> models.DbtEnvironmentBody:
    """Return the body of a write. An owner that Omni chose, and deferral, are not managed: they are sent back.

    Args:
        args: what the program declares.
        plan: the variables.
        current: what Omni has, ``None`` when the environment is created.
        owner: the owner after an update.
    """
    fields: dict[str, Any] = {
        name: value
        for name, value in common_fields(args, models.DbtEnvironmentBody).items()
        if name not in {"variables", "owner_id"}
    }
    if current is not None:
        fields["owner_id"] = owner
    elif args.owner_id is not None:
        fields["owner_id"] = args.owner_id
    if current is not None and current.is_deferral_enabled is not None:
        fields["is_deferral_enabled"] = current.is_deferral_enabled
    return models.DbtEnvironmentBody(**fields, variables=plan.bodies)


def _variable_ids(environment: models.DbtEnvironment) -> dict[str, str]:
    return {variable.name: variable.id for variable in environment.variables or []}


def _merge(state: DbtEnvironmentState, current: models.DbtEnvironment) -> DbtEnvironmentState:
    """Return the state with what a response contains. An owner that the program did not name is not compared."""
    fields = {
        name: None if value == "" and name not in _REQUIRED else value
        for name, value in common_fields(current, DbtEnvironmentState).items()
        if name in current.model_fields_set and name != "variables" and (name != "owner_id" or state.owner_id)
    }
    if "owner_id" in current.model_fields_set and state.current_owner is not None:
        fields["current_owner"] = current.owner_id or SHARED
    if current.variables is not None:
        fields.update(merge_variables(state, current.variables))
    return state.model_copy(update=fields)


class DbtEnvironmentProvider(Provider["OmniClient", DbtEnvironmentArgs, DbtEnvironmentState]):
    """Serves :class:`DbtEnvironment` to the engine."""

    lifecycle = DbtEnvironmentLifecycle()


class DbtEnvironment(Resource, module="omni", name="DbtEnvironment"):
    """A dbt environment of an Omni connection. Its ID is ``<connection_id>/<environment_id>``."""

    # Generated by `make generate`. Change the models instead.
    connection_id: pulumi.Output[str] = output()
    """UUID of the Omni connection."""
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
    """UUID of the user who owns the environment. Requires an organization API key. By default Omni decides: shared with
    an organization API key, the token's user with a personal access token.
    """
    variables: pulumi.Output[dict[str, str]] = output()
    """Environment variables, values by name."""
    secret_variables: pulumi.Output[dict[str, str]] = output()
    """Secret environment variables, values by name. The state encrypts the values, even if they are plain in the
    program.
    """
    unmanaged_variables: pulumi.Output[list[str] | None] = output()
    """Names of variables that are managed elsewhere, or globs such as `"TEAM_*"`. Omni keeps these variables, and they
    are never compared.
    """
    secrets_trigger: pulumi.Output[str | None] = output()
    """Any text. Changing it writes all declared secrets again, because drift of a secret cannot be detected."""
    environment_id: pulumi.Output[str] = output()
    """UUID of the environment."""
    is_default_environment: pulumi.Output[bool] = output()
    """Whether Omni created the environment with the dbt configuration. Such an environment is never deleted."""
    retained_variables: pulumi.Output[list[str]] = output()
    """Names of variables that the program dropped and Omni kept."""
    current_owner: pulumi.Output[str | None] = output()
    """UUID of the user who owns the environment, or `shared`. A refresh shows its change."""

    def __init__(
        self,
        resource_name: str,
        *,
        connection_id: pulumi.Input[str],
        name: pulumi.Input[str],
        target_schema: pulumi.Input[str],
        target_database: pulumi.Input[str | None] = None,
        target_name: pulumi.Input[str | None] = None,
        target_role: pulumi.Input[str | None] = None,
        owner_id: pulumi.Input[str | None] = None,
        variables: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        secret_variables: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        unmanaged_variables: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        secrets_trigger: pulumi.Input[str | None] = None,
        adopt: Adopt | None = None,
        profile: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the resource.

        Args:
            resource_name: Name of the resource in the program.
            connection_id: UUID of the Omni connection. Changing it replaces the resource.
            name: Name of the environment.
            target_schema: Target schema.
            target_database: Target database override.
            target_name: Target name override.
            target_role: Target role override.
            owner_id: UUID of the user who owns the environment. Requires an organization API key. By default Omni
                decides: shared with an organization API key, the token's user with a personal access token.
            variables: Environment variables, values by name.
            secret_variables: Secret environment variables, values by name. The state encrypts the values, even if they
                are plain in the program.
            unmanaged_variables: Names of variables that are managed elsewhere, or globs such as `"TEAM_*"`. Omni keeps
                these variables, and they are never compared.
            secrets_trigger: Any text. Changing it writes all declared secrets again, because drift of a secret cannot
                be detected.
            adopt: What to do if the object exists already. `False`, the default: fail. `True`: adopt it, or else create
                it. `"existing"`: adopt it, or fail if it does not exist. It has an effect only when Pulumi creates the
                resource. Remove `"existing"` afterwards, because it forbids a replacement.
            profile: Name of the instance's settings, for a stack that uses several instances of a service.
            opts: Resource options.
        """
        super().__init__(*self._arguments(DbtEnvironmentProvider(), resource_name, locals(), opts))

    # End of the generated part.
