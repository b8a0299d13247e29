"""Serves a lifecycle to the engine as a dynamic provider.

The engine keeps a pickled provider in the state, and finds it again by the path of its module and the name of its
class. Both are public for ever. A provider has no attribute before `configure`, so the pickled one contains no data.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from pulumi import dynamic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel, to_snake

from omni_pulumi import notes
from omni_pulumi.adoption import describe_with_id, may_create
from omni_pulumi.api import environment
from omni_pulumi.api.retry import retry_while_parent_missing
from omni_pulumi.changes import changed_fields, describe_other_forms, drifted, known_changes, program_path
from omni_pulumi.check import CheckFailure, changed_values, configuration_error, unusable_values
from omni_pulumi.dynamic import imports
from omni_pulumi.dynamic.host import ShortTracebacks, install_cancel_handler, install_error_text
from omni_pulumi.errors import AlreadyExistsError, AlreadyManagedError, ConfigurationError, Error
from omni_pulumi.lifecycle import A, C, Claims, Lifecycle, S
from omni_pulumi.process import PROCESS, Identity, ObjectKey
from omni_pulumi.redact import redact

_log = logging.getLogger("omni_pulumi")


class Provider(dynamic.ResourceProvider, Generic[C, A, S]):
    """Translates between a lifecycle and the engine, which sends dicts with camelCase keys and floats.

    The engine calls up to four methods at once from as many threads.

    Attributes:
        lifecycle: what the provider serves.
    """

    serialize_as_secret_always = False
    """The pickled provider is a module path and a class name, so it contains no secret."""

    lifecycle: Lifecycle[C, A, S]

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Remember the stack's configuration, which is the same for all resources of a command.

        The engine calls this once per process, before any other method.
        """
        self._config = req.config.get
        service = self.lifecycle.service
        self._instance = functools.cache(functools.partial(service.instance, self._config))
        self._url = functools.cache(functools.partial(service.url, self._config))
        self._check_environment = functools.cache(environment.check)
        self._check_imports = functools.cache(lambda profile: imports.check(lambda: self._client(profile)))
        PROCESS.log.install()
        install_cancel_handler()
        install_error_text()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Validate the inputs, without a request. All errors of a resource are reported together."""
        olds, properties = _strip_internal_keys(_olds), _strip_internal_keys(news)
        is_in_state = bool(olds)
        if unusable := _unusable(changed_values(properties, olds)):
            return _check_failed(unusable)
        args = self.lifecycle.validate(properties, known=olds, may_exist=is_in_state)
        if isinstance(args, list):
            return _check_failed(args)
        try:
            self._check_imports(args.profile)
            self._check_environment(self._instance(args.profile).url)
        except ConfigurationError as error:
            return _check_failed([CheckFailure("", str(error))])
        for name, warning in self.lifecycle.warnings(args).items():
            if getattr(args, name) != olds.get(to_camel(name)):
                _log.warning("%s: %s", self.lifecycle.describe(args), warning)
        if is_in_state:
            PROCESS.claims.expect_diff(self._identity(args))
        else:
            PROCESS.claims.expect_create(self._identity(args), may_adopt=bool(args.adopt))
        if args.adopt and not is_in_state:
            otherwise = "fails if it does not exist" if args.adopt == "existing" else "creates it if it does not exist"
            _log.info("adopt is set: `pulumi up` adopts %s, or %s", self.lifecycle.describe(args), otherwise)
        inputs = args.to_properties()
        (PROCESS.unchanged.add if inputs == olds else PROCESS.unchanged.discard)(self._identity(args))
        return dynamic.CheckResult(inputs, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Compare the state with the program, without a request.

        `check` has validated the inputs. A refresh compares what it has found with the last inputs, which another
        version may have written, so their types may be wrong.
        """
        olds, news = _strip_internal_keys(_olds), _strip_internal_keys(_news)
        args = self.lifecycle.validate(news, known=news)
        if isinstance(args, list):
            arguments = self.lifecycle.args_model.property_names() - {"adopt"}
            return dynamic.DiffResult(changes=any(olds.get(name) != news.get(name) for name in arguments))
        identity = self._identity(args)
        is_programs = PROCESS.claims.is_diff_of_program(identity)
        state = self._state(_olds)
        args = self._with_kept_values(state, args)
        changed = changed_fields(state, args)
        replaces = [to_camel(name) for name in changed if name in self.lifecycle.replacing]
        if is_programs:
            self._log_changes(args, _id, known_changes(state, args), notes.CHANGES)
            if identity in PROCESS.unchanged:
                self._warn_about_other_forms(state, args)
        if warning := self.lifecycle.diff_warning(state, args):
            _log.warning(warning)
        with ShortTracebacks():
            if self.lifecycle.changes_instance(self._config, state, args):
                replaces.append("profile")
            if replaces and args.adopt == "existing":
                raise self._replacement_error(_id, args, replaces)
            key = self._key(self.lifecycle.id_of(state), args)
            if is_programs and not replaces and not PROCESS.claims.claim(key, identity, args.profile):
                raise self._duplicate_error(_id, args)
        return dynamic.DiffResult(
            changes=bool(changed) or args.profile != state.profile,
            replaces=replaces,
            delete_before_replace=self.lifecycle.delete_before_replace,
        )

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the object, or adopt the one that exists."""
        args = self._args(props, {}, "create")
        if args.adopt == "existing" and PROCESS.claims.was_deleted(self._identity(args), args.profile):
            _log.warning(
                '%s was deleted outside Pulumi, so it is created although adopt is "existing". Remove adopt from the '
                "program",
                self.lifecycle.describe(args),
            )
            args = may_create(args)
        creating = PROCESS.claims.creating(self._identity(args))
        with creating as is_first, self._operation("create", args) as client:
            if not is_first:
                client.invalidate_lists()
            try:
                state = retry_while_parent_missing(
                    lambda: self._claiming(args, lambda claims: self.lifecycle.create(client, args, claims))
                )
            except AlreadyManagedError:
                raise
            except AlreadyExistsError as error:
                raise error.replace(f"{error.message}{self._if_it_is_replaced(args)}") from None
        self._warn_about_other_forms(state, args)
        return dynamic.CreateResult(self.lifecycle.id_of(state), state.to_properties())

    def read(self, _id: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Read the object. An empty ID tells the engine that the object is deleted."""
        known = self._state(props)
        with self._operation("read", known) as client:
            state = self.lifecycle.read(client, known)
        if state is None:
            PROCESS.claims.note_deletion(self._identity(known), known.profile)
            if lost := self.lifecycle.only_in_service(known):
                _log.warning(
                    "%s was deleted outside Pulumi. A new one lacks %s, because only %s had the values. Set them there",
                    describe_with_id(self.lifecycle.describe(known), _id),
                    ", ".join(lost),
                    self.lifecycle.service.name,
                )
            return dynamic.ReadResult("", {})
        outputs = state.to_properties()
        arguments = self.lifecycle.args_model.property_names()
        compared = arguments - {"adopt"} | self.lifecycle.observed
        self._log_changes(state, _id, drifted(known, state, compared), notes.DRIFT)
        inputs = {key: value for key, value in outputs.items() if key in arguments}
        return dynamic.ReadResult(self.lifecycle.id_of(state), outputs, inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Change the object to what the program declares."""
        known, args = self._state(_olds), self._args(_news, _olds, "update")
        is_renamed = self._identity(args) != self._identity(known)
        turn = PROCESS.claims.turn(self._identity(args)) if is_renamed else contextlib.nullcontext(enter_result=True)
        with turn as is_first, self._operation("update", args) as client:
            if not is_first:
                client.invalidate_lists()
            state = self._claiming(args, lambda claims: self.lifecycle.update_or_recreate(client, known, args, claims))
        self._warn_about_other_forms(state, args)
        return dynamic.UpdateResult(state.to_properties())

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the object, unless another resource of the program manages it.

        The engine deletes after it has created. So a resource that was renamed in the program, or that replaces itself,
        would delete the object that its new resource has adopted.
        """
        state = self._state(_props)
        claims, identity = PROCESS.claims, self._identity(state)._replace(chosen=self.lifecycle.chosen(state))
        key = self._key(self.lifecycle.id_of(state), state)
        with ShortTracebacks():
            if claims.adoption_failed(identity):
                raise Error(
                    f"Cannot delete {self.lifecycle.describe(state)}: another resource of this program failed to adopt "
                    "it. Correct the error of that resource, and run the command again.",
                    operation=f"delete {self.lifecycle.describe(state)}",
                    resource_id=_object_id(_id),
                )
            if claims.is_claimed(key) or claims.is_adopting(identity):
                _log.warning(
                    "%s is not deleted, because another resource of this program manages it now",
                    describe_with_id(self.lifecycle.describe(state), _id),
                )
                return
        with self._operation("delete", state) as client:
            self.lifecycle.delete_if_exists(client, state)

    def _warn_about_other_forms(self, state: S, args: A) -> None:
        """Warn about values that the service stores in another form, so that they are an update each time.

        The inputs in the state are those of the program, so Pulumi displays the update without a difference.
        """
        if forms := describe_other_forms(state, args, self.lifecycle.service.name):
            _log.warning(
                "%s: %s stores another form of %s. Write the stored form in the program: until then each `pulumi up` "
                "writes the value again. `pulumi preview --refresh` shows both forms",
                self.lifecycle.describe(args),
                self.lifecycle.service.name,
                ", ".join(forms),
            )

    def _claiming(self, args: A, write: Callable[[Claims], S]) -> S:
        """Run a write, and claim the object that it adopts or creates. An error releases the claim."""
        claims = _Claims(
            self._identity(args),
            args.profile,
            key=lambda pulumi_id: self._key(pulumi_id, args),
            refuse=lambda pulumi_id, owner: self._already_managed_error(pulumi_id, args, owner),
        )
        try:
            state = write(claims)
        except BaseException:
            for key in claims.claimed:
                PROCESS.claims.release(key)
            raise
        PROCESS.claims.claim(claims.key(self.lifecycle.id_of(state)), claims.identity, args.profile)
        return state

    def _already_managed_error(self, pulumi_id: str, args: A, owner: str | None) -> AlreadyManagedError:
        description = self.lifecycle.describe(args)
        keys = [self._instance(profile).api_key for profile in (args.profile, owner)]
        return AlreadyManagedError(
            f"Cannot create {describe_with_id(description, pulumi_id)}: another resource of this program manages it. "
            "Declare the object once. If the other resource manages another object after this update, add "
            "depends_on=[<other resource>] to this one.",
            operation=f"create {description}",
            resource_id=_object_id(pulumi_id),
            same_key=keys[0] == keys[1],
        )

    def _duplicate_error(self, pulumi_id: str, args: A) -> AlreadyExistsError:
        description = self.lifecycle.describe(args)
        rewrite = (
            " If the removed one has just adopted it, change secrets_trigger of the other one, so that its secrets are "
            "written again."
            if "secrets_trigger" in self.lifecycle.args_model.model_fields
            else ""
        )
        return AlreadyExistsError(
            f"Two resources of this program manage {describe_with_id(description, pulumi_id)}. Remove one of them "
            f"from the program, which deletes nothing.{rewrite}",
            operation=f"manage {description}",
            resource_id=_object_id(pulumi_id),
        )

    def _with_kept_values(self, state: S, args: A) -> A:
        """Return the arguments with the known values of outputs that are unknown until another resource is created.

        If one is replaced by `--replace`, the engine asks which resources it must replace together with it. Its
        connection does not change, so the objects of this connection need not be deleted.
        """
        url = self._url(args.profile)
        kept = {
            name: getattr(state, name)
            for name in self.lifecycle.replacing
            if isinstance(getattr(args, name), Unknown) and PROCESS.claims.creates_with(url, getattr(state, name))
        }
        return args.model_copy(update=kept)

    def _if_it_is_replaced(self, args: A) -> str:
        """Return how `--replace` works for an object whose deletion loses something, empty if it works by itself."""
        lost = self.lifecycle.lost_by_deletion(dict(args))
        if args.adopt or not lost:
            return ""
        return (
            " If Pulumi is replacing it, set delete_before_replace=True in its resource options to delete it first. "
            f"The new one then lacks {', '.join(lost)}, which only {self.lifecycle.service.name} has."
        )

    def _replacement_error(self, pulumi_id: str, args: A, replaces: Sequence[str]) -> ConfigurationError:
        description = self.lifecycle.describe(args)
        changed = ", ".join(map(to_snake, replaces))
        return ConfigurationError(
            f"Cannot replace {describe_with_id(description, pulumi_id)}: {changed} changed, and "
            'adopt="existing" does not allow creating a new object. Remove adopt from the program.',
            settings=("adopt",),
        )

    def _log_changes(self, resource: A | S, pulumi_id: str, paths: Sequence[str], kind: str) -> None:
        """Log changed properties by name: Pulumi does not display changes to values that are secret to it."""
        if paths:
            names, description = [program_path(path) for path in paths], self.lifecycle.describe(resource)
            _log.info("%s", notes.changes(description, names, resource_id=pulumi_id, properties=paths, kind=kind))

    def _args(self, properties: Mapping[str, Any], known: Mapping[str, Any], verb: str) -> A:
        """Return the arguments. A value that was unknown in the preview may break a rule only now."""
        args = self.lifecycle.validate(_strip_internal_keys(properties), known=_strip_internal_keys(known))
        if isinstance(args, list):
            raise configuration_error(args, f"{verb} {self.lifecycle.name}")
        return args

    def _state(self, properties: Mapping[str, Any]) -> S:
        return self.lifecycle.state_model.model_validate(_strip_internal_keys(properties))

    def _identity(self, resource: A | S) -> Identity:
        """Return what a create finds an object by. Values that are unknown in a preview count as ``None``."""
        values, chosen = (
            tuple(None if isinstance(value, Unknown) else value for value in values)
            for values in (self.lifecycle.identity(resource), self.lifecycle.choosable(resource))
        )
        return Identity(type(self).__name__, self._url(resource.profile), values, chosen)

    def _key(self, object_id: str, resource: A | S) -> ObjectKey:
        return type(self).__name__, self._url(resource.profile), object_id

    @contextlib.contextmanager
    def _operation(self, verb: str, resource: A | S) -> Iterator[C]:
        """Provide the client for one operation, unless the operation is known to fail."""
        with ShortTracebacks():
            client = self._client(resource.profile)
            with client.failures.report_once(
                f"{verb} {self.lifecycle.describe(resource)}", self.lifecycle.parent_id(resource)
            ):
                yield client

    def _client(self, profile: str | None) -> C:
        return PROCESS.clients.get(self.lifecycle.service.name, self._instance(profile), self.lifecycle.connect)


@dataclass(frozen=True)
class _Claims:
    """The claims of one write.

    Attributes:
        identity: what the program declares.
        profile: the profile of the resource.
        key: returns the key of an object by its Pulumi ID.
        refuse: returns the error about an object that another resource manages, by its Pulumi ID and that resource's
            profile.
        claimed: the objects that the write has claimed.
    """

    identity: Identity
    profile: str | None
    key: Callable[[str], ObjectKey]
    refuse: Callable[[str, str | None], AlreadyManagedError]
    claimed: list[ObjectKey] = field(default_factory=list)

    def __call__(self, pulumi_id: str) -> None:
        key = self.key(pulumi_id)
        if not PROCESS.claims.claim(key, self.identity, self.profile):
            raise self.refuse(pulumi_id, PROCESS.claims.profile_of_owner(key))
        self.claimed.append(key)

    def gives_up(self, pulumi_id: str) -> bool:
        return PROCESS.claims.gives_up(self.key(pulumi_id), self.identity)


def _object_id(pulumi_id: str) -> str:
    """Return the service's ID of an object, which is the last part of its Pulumi ID."""
    return pulumi_id.rpartition("/")[2]


def _strip_internal_keys(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource's own properties: the engine adds ``__provider``."""
    return {key: value for key, value in properties.items() if not key.startswith("__") and value is not None}


def _unusable(properties: Mapping[str, Any]) -> list[CheckFailure]:
    return [
        CheckFailure(program_path(path), reason)
        for name, value in properties.items()
        for path, reason in unusable_values(name, value)
    ]


def _check_failed(failures: Iterable[CheckFailure]) -> dynamic.CheckResult:
    """Return a result that names the properties only in its texts.

    If a failure names a property, the engine displays its value, even when it is secret.
    """
    return dynamic.CheckResult({}, [dynamic.CheckFailure("", redact(str(failure))) for failure in failures])
