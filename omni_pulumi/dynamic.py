"""Everything that is Pulumi's: how a lifecycle is served as a dynamic provider, and how a program declares a resource.

The engine keeps a pickled provider in the state and finds it again by the path of its module and the name of its class,
so both are public for ever. A provider has no attribute of its own: `omni_pulumi.process` holds its clients.

Source: https://www.pulumi.com/docs/iac/concepts/resources/dynamic-providers/
"""

from __future__ import annotations

import contextlib
import copy
import functools
import logging
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic

import pulumi
import tenacity
from pulumi import dynamic
from pulumi.output import Unknown
from pydantic.alias_generators import to_camel

from omni_pulumi import options
from omni_pulumi.adoption import ignore_existing
from omni_pulumi.api import waiting
from omni_pulumi.api.errors import AlreadyExistsError, AlreadyManagedError, ConfigurationError, Error, NotFoundError
from omni_pulumi.api.redact import mask_urls
from omni_pulumi.lifecycle import A, C, Claim, Failure, Lifecycle, S, new_secrets
from omni_pulumi.process import PROCESS, Identity, ObjectKey

_log = logging.getLogger("omni_pulumi")

_PARENT_ATTEMPTS = 3
"""After one second, and after two more."""


class Provider(dynamic.ResourceProvider, Generic[C, A, S]):
    """Serves a lifecycle to the engine, which speaks in dicts of camelCase keys and floats.

    The engine calls up to four methods at once from as many threads.
    """

    serialize_as_secret_always = False
    """The pickled provider is a module path and a class name, so there is nothing to hide."""

    lifecycle: Lifecycle[C, A, S]

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Remember the stack's configuration. Called once per process, before anything else."""
        self._config = req.config.get
        _log_to_stderr()
        install_cancel_handler()
        install_error_text()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Validate a program's inputs, all rules at once, without a request."""
        args = self.lifecycle.validate(_own(news), stored=bool(_own(_olds)))
        if isinstance(args, list):
            return _refused(args)
        try:
            self.lifecycle.service.instance(self._config, args.profile)
        except ConfigurationError as error:
            return _refused([Failure("", str(error))])
        if _own(_olds):
            PROCESS.adoptions.expect_diff(self._identity(args))
        elif args.adopt:
            PROCESS.adoptions.expect_adoption(self._identity(args))
            _log.info(
                "%s: %s",
                self.lifecycle.describe(args),
                "adopts it, and fails if it does not exist" if args.adopt == "existing" else "adopts it if it exists",
            )
        return dynamic.CheckResult(args.to_properties(), [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Compare the last known state with the program. A preview does no more than this, without a request.

        The engine shows each leaf that changes, except that of two secrets it shows nothing, so these are told.

        A refresh compares what it has found with the last known inputs, which an earlier refresh may have found:
        such need not be what a program may declare.
        """
        args = self.lifecycle.validate(_own(_news))
        if isinstance(args, list):
            olds, news = _own(_olds), _own(_news)
            arguments = self.lifecycle.args.property_names() - {"adopt"}
            return dynamic.DiffResult(changes=any(olds.get(name) != news.get(name) for name in arguments))
        state = self._state(_olds)
        changed = self.lifecycle.changed(state, args)
        replaces = [to_camel(name) for name in changed if name in self.lifecycle.replace_on]
        for path in new_secrets(state, args):
            _log.info("%s: %s gets another value", _id, path)
        if warning := self.lifecycle.diff_warning(state, args):
            _log.warning(warning)
        with _short_traceback():
            if self.lifecycle.moves(self._config, state, args):
                replaces.append("profile")
            if replaces and args.adopt == "existing":
                raise self._replaces_although_existing(_id, args, replaces)
            key = self._key(self.lifecycle.id_of(state), args)
            if not replaces and not PROCESS.adoptions.claim_in_diff(self._identity(args), key, args.profile):
                raise self._is_managed_twice(_id, args)
        return dynamic.DiffResult(
            changes=bool(changed) or args.profile != state.profile,
            replaces=replaces,
            delete_before_replace=self.lifecycle.delete_before_replace,
        )

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the object, or adopt the one that exists."""
        args = self._args(props)
        if args.adopt == "existing" and PROCESS.adoptions.was_deleted(self._identity(args)):
            args = ignore_existing(self.lifecycle.describe(args), args)
        creating = PROCESS.adoptions.creating(self._identity(args))
        with creating as is_first, self._operation("create", args) as client:
            if not is_first:
                client.forget_lists()
            state = _patient(lambda: self._claiming(args, lambda claim: self.lifecycle.create(client, args, claim)))
        return dynamic.CreateResult(self.lifecycle.id_of(state), state.to_properties())

    def read(self, _id: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Read the object. An empty ID tells the engine that it is gone, another one that it was made anew."""
        known = self._state(props)
        with self._operation("read", known) as client:
            state = self.lifecycle.read(client, known)
        if state is None:
            PROCESS.adoptions.note_deletion(self._identity(known))
            return dynamic.ReadResult("", {})
        outputs = state.to_properties()
        arguments = self.lifecycle.args.property_names()
        inputs = {key: value for key, value in outputs.items() if key in arguments}
        return dynamic.ReadResult(self.lifecycle.id_of(state), outputs, inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Make the object what the program says."""
        state, args = self._state(_olds), self._args(_news)
        with self._operation("update", args) as client:
            state = self._claiming(args, lambda claim: self.lifecycle.update(client, state, args, claim))
        return dynamic.UpdateResult(state.to_properties())

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the object, unless another resource of the program manages it.

        The engine deletes after it has created. So a resource that got another name in the program, or that replaces
        itself, would delete with its old name the object that its new one has adopted.
        """
        state = self._state(_props)
        adoptions, identity = PROCESS.adoptions, self._identity(state)
        key = self._key(self.lifecycle.id_of(state), state)
        with _short_traceback():
            if adoptions.adoption_failed(identity):
                raise Error(
                    f"Cannot delete {self.lifecycle.describe(state)}: another resource of this program failed to adopt "
                    "it. Correct the error of that resource, and run the command again.",
                    operation=f"delete {self.lifecycle.describe(state)}",
                    resource_id=_object_id(_id),
                )
            if adoptions.is_claimed(key) or adoptions.is_adopting(identity):
                _log.warning(
                    "%s (%s) is not deleted, because another resource of this program manages it now",
                    self.lifecycle.describe(state),
                    _id,
                )
                return
        with self._operation("delete", state) as client:
            self.lifecycle.delete(client, state)

    def _claiming(self, args: A, write: Callable[[Claim], S]) -> S:
        """Claim what ``write`` adopts before it is written, and what it creates afterwards; claim nothing on errors."""
        claimed: list[ObjectKey] = []

        def claim(object_id: str) -> None:
            key = self._key(object_id, args)
            if not PROCESS.adoptions.claim(key, args.profile):
                raise self._is_claimed(object_id, args, PROCESS.adoptions.owner_of(key))
            claimed.append(key)

        try:
            state = write(claim)
        except BaseException:
            for key in claimed:
                PROCESS.adoptions.release(key)
            raise
        PROCESS.adoptions.claim(self._key(self.lifecycle.id_of(state), args), args.profile)
        return state

    def _is_claimed(self, object_id: str, args: A, owner: str | None) -> AlreadyManagedError:
        keys = [self.lifecycle.service.instance(self._config, profile).api_key for profile in (args.profile, owner)]
        return AlreadyManagedError(
            f"Cannot create {self.lifecycle.describe(args)} ({object_id}): another resource of this program manages "
            "it. Remove one of the two. If the other one is renamed in the same update, add it to depends_on.",
            operation=f"create {self.lifecycle.describe(args)}",
            resource_id=_object_id(object_id),
            same_key=keys[0] == keys[1],
        )

    def _is_managed_twice(self, object_id: str, args: A) -> AlreadyExistsError:
        return AlreadyExistsError(
            f"Two resources of this program manage {self.lifecycle.describe(args)} ({object_id}). Remove one of them "
            "from the program, which deletes nothing. To have two objects, remove one, run `pulumi up`, and declare it "
            "again with another name.",
            operation=f"manage {self.lifecycle.describe(args)}",
            resource_id=_object_id(object_id),
        )

    def _replaces_although_existing(self, object_id: str, args: A, replaces: Sequence[str]) -> ConfigurationError:
        return ConfigurationError(
            f"Cannot replace {self.lifecycle.describe(args)} ({object_id}): {', '.join(replaces)} changed, and "
            'adopt="existing" does not allow creating a new object. Remove adopt from the program.',
            settings=("adopt",),
        )

    def _args(self, properties: Mapping[str, Any]) -> A:
        args = self.lifecycle.validate(_own(properties))
        if isinstance(args, list):
            raise ConfigurationError(
                "; ".join(f"{failure.property} {failure.reason}" for failure in args),
                settings=tuple(failure.property for failure in args),
            )
        return args

    def _state(self, properties: Mapping[str, Any]) -> S:
        return self.lifecycle.state.model_validate(_own(properties))

    def _identity(self, it: A | S) -> Identity:
        """By what a create finds an object. What a preview does not know yet counts as nothing."""
        values = (getattr(it, name) for name in sorted(self.lifecycle.identity))
        return self._key("", it) + tuple(None if isinstance(value, Unknown) else value for value in values)

    def _key(self, object_id: str, it: A | S) -> ObjectKey:
        return type(self).__name__, self.lifecycle.service.url(self._config, it.profile), object_id

    @contextlib.contextmanager
    def _operation(self, verb: str, it: A | S) -> Iterator[C]:
        """Use the client for one operation, unless it is known to fail."""
        parent_id = getattr(it, self.lifecycle.parent) if self.lifecycle.parent else None
        with _short_traceback():
            client = self._client(it.profile)
            with client.failures.telling_once(f"{verb} {self.lifecycle.describe(it)}", parent_id):
                yield client

    def _client(self, profile: str | None) -> C:
        """The one client of an instance, shared by all providers and threads of this process."""
        instance = self.lifecycle.service.instance(self._config, profile)
        return PROCESS.clients.get(self.lifecycle.connect, instance)


class _OutputProperty(property):
    """A ``@pulumi.getter`` in one line: its name and type are those of the annotated attribute.

    Outputs of a dynamic resource are kept under the very keys that were registered, so they are read in camelCase.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        getter = self.fget
        assert getter is not None  # noqa: S101 - narrows the type: output() always passes one
        getter.__name__ = to_camel(name)
        getter.__annotations__ = {"return": owner.__annotations__[name]}
        pulumi.getter(name=to_camel(name))(getter)


def output() -> Any:
    """Declare an output: ``target_schema: pulumi.Output[str] = output()`` reads Pulumi's ``targetSchema``."""

    def getter(resource: Resource) -> Any:
        return pulumi.get(resource, getter.__name__)

    return _OutputProperty(getter)


class Resource(dynamic.Resource):
    """A resource as programs declare it: snake_case in Python, camelCase everywhere else."""

    def __init__(
        self,
        provider: Provider[Any, Any, Any],
        resource_name: str,
        arguments: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Register the resource. An output exists as an attribute only if its key is there from the beginning."""
        self._apply_options = functools.partial(
            options.apply,
            resource=f'{type(self).__name__} "{resource_name}"',
            args=provider.lifecycle.args,
            state=provider.lifecycle.state,
        )
        opts = pulumi.ResourceOptions() if opts is None else copy.copy(opts)
        self._apply_options(opts)
        profile = arguments.get("profile")
        if profile is None or isinstance(profile, str):
            _warn_about_plain_key(provider.lifecycle.service.key(profile, "apiKey"))
        properties: dict[str, Any] = {to_camel(name): None for name in provider.lifecycle.state.model_fields}
        properties.update({to_camel(name): value for name, value in arguments.items()})
        super().__init__(provider, resource_name, properties, opts)

    def _get_providers(self, *arguments: Any, **keywords: Any) -> Any:
        """Apply the options that transformations added, and warn.

        Pulumi calls this after the transformations, with its own copy of the options. It is not public, so the
        program's own options are applied before, and a Pulumi that calls it with other arguments, or not at all, still
        works.
        """
        for argument in (*arguments, *keywords.values()):
            if isinstance(argument, pulumi.ResourceOptions):
                self._apply_options(argument)
                for warning in options.warnings(argument):
                    pulumi.log.warn(warning, self)
        return super()._get_providers(*arguments, **keywords)


@functools.cache
def _warn_about_plain_key(setting: str) -> None:
    """Warn once in a program about an API key that the stack's configuration keeps in clear.

    A provider is not told which settings are secret, but a program is.
    """
    if pulumi.runtime.get_config(setting) and not pulumi.runtime.is_config_secret(setting):
        pulumi.log.warn(
            f"{setting} is not encrypted in the stack's configuration. Run `pulumi config set --secret {setting}` to "
            "encrypt it, and replace the key if the file was shared."
        )


def secret_values(
    values: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None,
) -> pulumi.Input[Mapping[str, pulumi.Input[str]]] | None:
    """Mark each value of a map as secret, so that the names stay readable; a map that is an output as a whole."""
    if isinstance(values, Mapping):
        return {name: pulumi.Output.secret(value) for name, value in values.items()}
    return None if values is None else pulumi.Output.secret(values)


def _object_id(pulumi_id: str) -> str:
    """Return the service's ID of an object, which is the last part of its Pulumi ID."""
    return pulumi_id.rpartition("/")[2]


def _own(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The resource's own properties: the engine adds ``__provider`` to every bag."""
    return {key: value for key, value in properties.items() if not key.startswith("__") and value is not None}


def _refused(failures: Iterable[Failure]) -> dynamic.CheckResult:
    """A refusal that names the properties in its texts only.

    To a failure of a named property the engine adds the property's value, in clear even when it is secret.
    """
    texts = (f"{failure.property} {failure.reason}".strip() for failure in failures)
    return dynamic.CheckResult({}, [dynamic.CheckFailure("", mask_urls(text)) for text in texts])


def _patient(create: Callable[[], S]) -> S:
    """Create, again for a few seconds while its parent is not found: a fresh one may be behind."""
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotFoundError),
        wait=tenacity.wait_exponential(),
        stop=tenacity.stop_after_attempt(_PARENT_ATTEMPTS),
        sleep=lambda seconds: waiting.pause(seconds),
        reraise=True,
    )
    return attempts(create)


class _short_traceback:  # noqa: N801 - reads as a verb where it is used
    """Shorten the traceback of an error of ours, which the user sees where `install_error_text` has no effect."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Error):
            raise error.with_traceback(None) from None


class _MaskingFormatter(logging.Formatter):
    """Masks the user part of URLs."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_urls(super().format(record))


def _log_to_stderr() -> None:
    """Send our log to stderr, which the engine shows: ``pulumi.log`` does nothing inside a provider's process."""
    if not _log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_MaskingFormatter("omni_pulumi: %(message)s"))
        _log.addHandler(handler)
        _log.propagate = False
    _log.setLevel(logging.DEBUG if os.environ.get("OMNI_PULUMI_LOG") == "debug" else logging.INFO)


class _Traceback:
    """Stands for the module `traceback` in Pulumi's servicer, and leaves the errors of other providers as they are."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def format_exc(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the text of an error of ours alone, and the traceback of any other error."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, Error) else self._module.format_exc(*arguments, **keywords)


def install_error_text() -> None:
    """Let users see the text of an error without a traceback.

    Pulumi's servicer sends `traceback.format_exc()` to the engine, and the engine prints it. The servicer's module is
    the main one of this process. Where it works in another way, users see the traceback, with the text at its end.
    """
    main = sys.modules["__main__"]
    module = getattr(main, "traceback", None)
    if hasattr(main, "DynamicResourceProviderServicer") and isinstance(module, types.ModuleType):
        vars(main)["traceback"] = _Traceback(module)


def install_cancel_handler() -> None:
    """Let Ctrl-C end our waiting.

    The engine sends `Cancel`, and Pulumi's servicer for Python answers without telling the providers. The method is
    registered before this module is loaded, so only its code can be exchanged. Where that is not possible, because
    `Cancel` is decorated for example, Ctrl-C waits until the waiting ends by itself.
    """
    servicer = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    handler = getattr(servicer, "Cancel", None)
    if isinstance(handler, types.FunctionType):
        with contextlib.suppress(ValueError):  # it has free variables, which the code here has not
            handler.__code__ = _cancel.__code__


def _cancel(_self: Any, _request: Any, _context: Any) -> Any:
    """Runs in the place of the servicer's ``Cancel``, in its module: it brings what it needs."""
    from google.protobuf import empty_pb2

    from omni_pulumi.api import waiting

    waiting.cancel()
    return empty_pb2.Empty()
