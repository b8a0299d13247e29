"""The model of the stateful test: one program, its stack, and the objects of both services.

The model computes what the state of each resource has: what the last write declared, and what later refreshes found.
After each step of a `pulumi` command it compares the objects with those before the step.
"""

from __future__ import annotations

import copy
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import note

from omni_pulumi.dynamic.provider import Provider
from omni_pulumi.errors import (
    AlreadyExistsError,
    ConfigurationError,
    Error,
    NothingToAdoptError,
    PartlyCreatedError,
)
from omni_pulumi.simulator import faults
from omni_pulumi.simulator.forms import as_sent
from tests.servicer import InvalidInputsError, ProviderError, Resource, Stack
from tests.stateful.kind import Services
from tests.stateful.kinds import added_by_services, identity, objects
from tests.stateful.outside import Change, Clock, Outside
from tests.stateful.parts import Objects, Parts, is_placeholder, stored_parts, stored_properties, unexpected_changes
from tests.stateful.programs import FORMERLY, kind_of
from tests.stateful.step import Failure, History, Step
from tests.stateful.values import SECRET

_MAX_LIST_AGE = 5.0
"""The maximum age in seconds of a list that a write may rely on."""


class Model:
    """One stack with its program, and the two services."""

    def __init__(self, services: Services, log: Log, clock: Clock, choices: random.Random) -> None:
        omni, lightdash = services.omni, services.lightdash
        omni.reset()
        lightdash.reset()
        self.services, self.log, self.clock, self.choices = services, log, clock, choices
        self.outside = Outside(services, clock)
        self.form = omni.dialect.stored_form
        self.program: dict[str, dict[str, Any]] = {}
        self.ignored: dict[str, Collection[str]] = {}
        """Properties that `ignore_changes` of each resource names."""
        self.failures: list[Failure] = []
        """The failed steps of the last command."""
        self.figures: Counter[str] = Counter()
        """How often interesting cases happened."""
        self._known: dict[str, frozenset[str]] = {}
        """Paths of the parts that each resource has in the state."""
        self._hidden: dict[tuple[str, str], object] = {}
        """Declared secrets that changed outside Pulumi, by object ID and path. A refresh cannot find them."""
        self._may_exist: set[tuple[object, ...]] = set()
        """Identities of objects that may exist without being in the state, after an unknown outcome or a kill."""
        self._succeeded: set[str] = set()
        """Resources whose `up` succeeded in the last command."""
        self._found_deleted: set[tuple[object, ...]] = set()
        """Identities of the objects that a refresh of the last command found deleted."""
        self._history = History()
        self._stale = False
        """Whether responses of the services may be older than the last write."""
        self._requests = 0
        """Number of requests at the last check of the log."""
        self.stack = Stack(
            {
                "omni:baseUrl": omni.url,
                "omni:apiKey": omni.api_key,
                "omni:requestsPerMinute": "100000000",
                "lightdash:url": lightdash.url,
                "lightdash:apiKey": lightdash.api_key,
                "lightdash:requestsPerMinute": "100000000",
            }
        )

    # Changes of the program

    def declare(
        self,
        name: str,
        properties: Mapping[str, Any],
        *,
        kept: Collection[str],
        adopt: object,
        ignored: Collection[str],
    ) -> None:
        """Put a resource into the program, or change it.

        Args:
            name: the name of the resource in the program.
            properties: its arguments.
            kept: arguments that keep their value in the program. ``"ignored"`` keeps `ignore_changes`.
            adopt: the argument `adopt`, ``None`` to keep its value.
            ignored: the properties that `ignore_changes` names.
        """
        before = self.program.get(name, {})
        kept_properties = {key: before[key] for key in kept if key in before}
        merged = kind_of(name).valid({**copy.deepcopy(properties), **kept_properties})
        self.ignored[name] = self.ignored.get(name, ignored) if "ignored" in kept else ignored
        if adopt is not None:
            merged["adopt"] = adopt
        elif "adopt" in before:
            merged["adopt"] = before["adopt"]
        self.program[name] = merged

    def drop(self, name: str) -> None:
        """Remove a resource from the program."""
        self.program.pop(name, None)
        self.ignored.pop(name, None)

    def rename(self, name: str) -> bool:
        """Rename a resource in the program, and return whether that is possible.

        To the engine the old name is a resource that was dropped, and the new one a resource that adopts the object.
        """
        former = f"{name}{FORMERLY}"
        if name not in self.program or name not in self.stack.resources or former in self.stack.resources:
            return False
        if not kind_of(name).can_adopt(self.services):
            return False
        self.stack.resources[former] = self.stack.resources.pop(name)
        self._known[former] = self._known.pop(name)
        self.program[name]["adopt"] = True
        return True

    def share(self, name: str, duplicate: str) -> bool:
        """Make two resources manage one object in the state, as version 0.1 could. Return whether that is possible."""
        if name not in self.program or name not in self.stack.resources or duplicate in self.stack.resources:
            return False
        self.stack.resources[duplicate] = copy.deepcopy(self.stack.resources[name])
        self._known[duplicate] = self._known[name]
        self.program[duplicate] = copy.deepcopy(self.program[name])
        self.ignored[duplicate] = self.ignored.get(name, ())
        return True

    def _inputs(self, name: str) -> dict[str, Any]:
        """Return the arguments of a resource, with the inputs in the state where `ignore_changes` names them."""
        return self.stack.inputs(name, self.program[name], self.ignored.get(name, ()))

    def _declared(self, name: str) -> Parts:
        return stored_parts(kind_of(name).declared(self._inputs(name)), self.form)

    def _identity(self, name: str) -> tuple[object, ...]:
        return kind_of(name).identity_of(self._declared(name))

    def _conflicting(self, name: str) -> list[str]:
        """Return the resources of the program that declare the same object, including this one."""
        return [each for each in self.program if self._identity(each) == self._identity(name)]

    # A `pulumi` command

    def run(
        self,
        *,
        refresh: bool,
        meanwhile: Mapping[int, Callable[[], object]] | None = None,
        killed_at: int | None = None,
        injected: Collection[faults.Fault] = (),
    ) -> None:
        """Run `up`. It continues after errors, which `failures` keeps. As in the engine, deletions come last.

        Args:
            refresh: whether it is `up --refresh`.
            meanwhile: changes outside Pulumi, by the number of the step after them. Step 0 follows the refreshes.
            killed_at: number of the step during which the command is killed. Its result does not reach the state.
            injected: the faults of the services.
        """
        self.failures = []
        self._succeeded, self._found_deleted = set(), set()
        self.outside.command += 1
        self._stale = any(isinstance(fault, faults.Stale) for fault in injected)
        steps = self._steps(refresh=refresh)
        refreshes = sum(operation == "refresh" for operation, _ in steps)
        with self.stack.command():
            for number, (operation, name) in enumerate(steps):
                if meanwhile and number - refreshes in meanwhile:
                    meanwhile[number - refreshes]()
                if operation != "up" and name not in self.stack.resources:
                    continue
                if operation == "destroy" and any(failure.error is None for failure in self.failures):
                    break  # the engine deletes nothing when validation fails
                state = {each: replace(resource) for each, resource in self.stack.resources.items()}
                known = {**self._known}
                self._step(operation, name)
                if number == killed_at:
                    self._lose_step(operation, name, state, known)
                    break
        self.outside.owned -= {self._id_in_state(name) for name in self.stack.resources}
        self._one_resource_manages_an_object()
        self._no_placeholder_is_stored()
        self._no_secret_was_shown()

    def _steps(self, *, refresh: bool) -> list[tuple[str, str]]:
        """Return the steps of a command. The order within an operation is random, as in the engine."""
        in_state, program = sorted(self.stack.resources), sorted(self.program)
        deleted = [name for name in in_state if name not in program]
        for names in (in_state, program, deleted):
            self.choices.shuffle(names)
        return [
            *(("refresh", name) for name in in_state if refresh),
            *(("up", name) for name in program),
            *(("destroy", name) for name in deleted),
        ]

    def _lose_step(
        self, operation: str, name: str, state: dict[str, Resource], known: dict[str, frozenset[str]]
    ) -> None:
        """Restore the state from before a step during which the command was killed."""
        self.figures["kills"] += 1
        if operation == "up":  # an update may recreate the object
            self._may_exist.add(self._identity(name))
        self.stack.resources, self._known = state, known
        self._succeeded.discard(name)

    def _step(self, operation: str, name: str) -> None:
        """Run one step, check it, and record what it means for the state."""
        resource = self.stack.resources.get(name)
        inputs = self._inputs(name) if operation == "up" else {}
        before = self._history.note(objects(self.services))
        result, failure = self._perform(operation, name)
        after = self._history.note(objects(self.services))
        if failure is not None:
            self.failures.append(failure)
            if failure.error is not None and self._may_have_created(name, failure.error):
                self._may_exist.add(self._identity(name))
        note(f"{operation} {name}: {result}{'' if failure is None else f', {failure.error}'}")
        step = Step(name, inputs, resource, result, failure, before, after, self.form)
        if operation == "refresh":
            assert after == before, "a refresh sent a write"
            self._learn_from_refresh(step)
        elif operation == "destroy":
            self._check_destroy(step)
        else:
            self._check_write(step)
            self._learn_from_write(step)
        self._forget_hidden(after)

    def _perform(self, operation: str, name: str) -> tuple[str, Failure | None]:
        try:
            if operation == "refresh":
                return "same" if self.stack.refresh(name) else "deleted", None
            if operation == "destroy":
                self.stack.destroy(name)
                return "deleted", None
            ignore = self.ignored.get(name, ())
            return self.stack.up(name, _provider(name), self.program[name], ignore=ignore), None
        except ProviderError as error:
            return "failed", Failure(operation, name, error.error, str(error))
        except InvalidInputsError as error:
            return "failed", Failure(operation, name, None, str(error))

    def _may_have_created(self, name: str, error: Error) -> bool:
        """Return whether a failed step may have created an object that is not in the state.

        A failed update keeps its object in the state, unless it recreated the object.
        """
        in_state = name in self.stack.resources and not isinstance(error, PartlyCreatedError)
        return name in self.program and error.outcome_unknown and not in_state

    # What the state has

    def _learn_from_refresh(self, step: Step) -> None:
        if step.result == "deleted":
            assert step.resource is not None
            self._found_deleted.add(step.kind.identity_of(step.kind.declared(step.resource.outputs)))
            del self._known[step.name]
        elif step.result == "same":
            self._known[step.name] = step.kind.known(self.stack.resources[step.name].outputs)

    def _learn_from_write(self, step: Step) -> None:
        if step.result != "failed":
            self._succeeded.add(step.name)
        if step.result == "create":
            self._known[step.name] = frozenset(step.declared)
            self._hide_overwritten_secrets(step)
        elif step.result == "update":
            now = step.after[self._id_in_state(step.name)]
            retained = {
                path
                for path in self._known[step.name]
                if step.kind.is_variable(path) and path in now and not step.is_unmanaged(path)
            }
            self._known[step.name] = frozenset({*step.declared, *retained})

    def _hide_overwritten_secrets(self, step: Step) -> None:
        """Note the secrets that an adoption wrote over those of another resource, whose error tells so.

        The engine may adopt an object before it checks the resource that has the object in the state.
        """
        object_id = self._id_in_state(step.name)
        if any(self._id_in_state(name) == object_id for name in self.stack.resources if name != step.name):
            for path, value in step.after[object_id].items():
                if isinstance(value, tuple) and value[1] and value != step.before[object_id].get(path):
                    self._hidden[object_id, path] = value

    def change_outside(self, number: int, name: str | None) -> str:
        """Make one change outside Pulumi, and return a description of it.

        Args:
            number: selects the change.
            name: a resource whose object is changed if it exists, ``None`` for any object.
        """
        object_id = self._object_id(name, self.stack.resources.get(name)) if name else None
        done, changes = self.outside.change(number, object_id)
        now = objects(self.services)
        for change in changes:
            value = now.get(change.object_id, {}).get(change.path)
            if isinstance(value, tuple) and value[1]:
                self._hidden[change.object_id, change.path] = value
        return done

    def _forget_hidden(self, now: Objects) -> None:
        """Forget the hidden secrets that were overwritten or deleted since."""
        hidden = self._hidden.items()
        self._hidden = {(id_, path): value for (id_, path), value in hidden if now.get(id_, {}).get(path) == value}

    # Checks after each step and command

    def _check_write(self, step: Step) -> None:
        """Assert that a write changes only its own object, and only the parts that it may change."""
        managed = self._object_id(step.name, step.resource)
        own = {managed} if managed in step.before else step.adoptable
        for id_, parts in step.before.items():
            if id_ not in own or step.is_refused:
                assert step.after.get(id_) == parts, (step.name, id_)
                continue
            known = self._known[step.name] if id_ == managed else frozenset[str]()
            assert id_ in step.after, (step.name, id_)
            found = unexpected_changes(
                parts,
                step.after[id_],
                program=step.declared,
                removable={each for each in known - {*step.kind.write_only} if not step.is_unmanaged(each)},
                recent=self._recent(id_, step.after[id_]),
            )
            assert found == {}, (step.name, step.result, found)
            if step.result == "update":
                self._count_kept(step, parts, known)
        self._check_created(step)
        if step.result in {"create", "update"}:
            self._check_success(step, managed)
        if step.result == "same" and step.resource is not None:
            before, now = _triggers(step.resource.outputs), _triggers(step.inputs)
            assert before == now, step.name

    def _count_kept(self, step: Step, parts: Parts, known: Collection[str]) -> None:
        """Count the parts that an update keeps. The figures of a soak show that such updates happened."""
        for path in {*parts} - {"kind"}:
            if path in step.declared:
                self.figures["placeholders not sent"] += is_placeholder(step.declared[path])
            elif step.is_unmanaged(path):
                self.figures["unmanaged variables kept"] += 1
            elif path not in known:
                self.figures[f"unknown parts of {step.kind.name} kept"] += 1

    def _check_created(self, step: Step) -> None:
        """Assert that a step creates at most one object, as declared, and none when it can adopt one."""
        added = step.kind.added_by_service(self.services)
        created = {id_: parts for id_, parts in step.after.items() if id_ not in {*step.before, *added}}
        assert len(created) <= (0 if step.is_refused else 1), (step.name, created)
        was_deleted = step.kind.identity_of(step.declared) in self._found_deleted
        may_create = step.inputs.get("adopt") != "existing" or step.resource is not None or was_deleted
        assert may_create or self._stale or not created, (step.name, created)
        for parts in created.values():
            assert unexpected_changes({"kind": step.kind.name}, parts, program=step.declared) == {}, step.name
            missed = [id_ for id_ in step.adoptable if id_ in step.after and not self._is_new(id_)]
            assert missed == [] or self._stale, (step.name, missed)

    def _check_success(self, step: Step, managed: str | None) -> None:
        """Assert that the object has what the program declares."""
        id_ = self._id_in_state(step.name)
        now = step.after[id_]
        wrong = [p for p, value in step.declared.items() if not is_placeholder(value) and now.get(p) != value]
        is_adopted = id_ in step.before and id_ != managed
        is_adopted_unchanged = is_adopted and now == step.before[id_]
        assert wrong == [] or (self._stale and is_adopted_unchanged), (step.name, step.result, wrong)
        if is_adopted:
            self._check_adopted(step, id_)

    def _check_adopted(self, step: Step, id_: str) -> None:
        """Assert that the program sets `adopt`, and that it declares each part of the object or leaves it unmanaged."""
        assert step.inputs.get("adopt") or self._stale, step.name
        self.figures["adopted"] += 1
        seen = {*step.before[id_]} - {"kind", *step.kind.write_only} - {*self._recent(id_, {})}
        undeclared = [path for path in seen - {*step.declared} if not step.is_unmanaged(path)]
        assert undeclared == [], (step.name, undeclared)

    def _recent(self, object_id: str, now: Parts) -> dict[str, list[object]]:
        """Return the values that the parts of an object had recently. A write may rely on them.

        An update is built from a list that is at most 5 s old, and a stale list may have any earlier value.
        """
        if self._stale:
            return self._history.values(object_id)
        found: dict[str, list[object]] = {}
        for change in self.outside.changes:
            if change.object_id == object_id and self._is_recent(change):
                values = found.setdefault(change.path, [])
                values.append(change.before)
                value = now.get(change.path)
                if isinstance(change.before, tuple) and change.before[1] and isinstance(value, tuple):
                    values.append((value[0], True))  # a secret is sent without its value
        return found

    def _is_recent(self, change: Change) -> bool:
        same_command = change.command == self.outside.command
        return same_command and self.clock() - change.at < _MAX_LIST_AGE

    def _is_new(self, object_id: str) -> bool:
        """Return whether an object was created outside Pulumi so recently that a list may lack it."""
        created = (each for each in self.outside.changes if (each.object_id, each.path) == (object_id, "kind"))
        return any(self._is_recent(change) for change in created)

    def _check_destroy(self, step: Step) -> None:
        """Assert that a destroy deletes only its own object, and none that another resource of the program has."""
        own = self._object_id(step.name, step.resource)
        deleted = {*step.before} - {*step.after}
        assert deleted <= {own}, (step.name, deleted)
        assert {id_: parts for id_, parts in step.before.items() if id_ != own or own not in deleted} == step.after
        others = {self._id_in_state(name) for name in self.program if name in self.stack.resources}
        assert not deleted & others, step.name
        if step.result == "deleted":
            del self._known[step.name]

    def _one_resource_manages_an_object(self) -> None:
        ids = [self._id_in_state(name) for name in sorted(self._succeeded)]
        assert len(ids) == len({*ids}), sorted(self._succeeded)

    def _no_placeholder_is_stored(self) -> None:
        for id_, parts in objects(self.services).items():
            assert not any(is_placeholder(value) for value in parts.values()), id_

    def _no_secret_was_shown(self) -> None:
        keys = (self.services.omni.api_key, self.services.lightdash.api_key, SECRET)
        lines = self.log.take()
        sent = self.services.request_count()
        assert sent == self._requests or any(" attempt 1" in line for line in lines), "the debug log is not captured"
        self._requests = sent
        errors = [failure.error for failure in self.failures if failure.error is not None]
        printed = [*(failure.text for failure in self.failures), *(str(vars(error)) for error in errors), *lines]
        assert [text for text in printed if any(key in text for key in keys)] == []
        for name, resource in self.stack.resources.items():
            for properties in (resource.inputs, resource.outputs):
                rest = kind_of(name).without_secrets(properties)
                assert not any(key in json.dumps(rest) for key in keys), rest

    # Checks after the faults

    def converge(self) -> None:
        """Run `up --refresh` without faults until nothing changes, following the advice of errors. Check everything."""
        may_exist = {*self._may_exist}
        for _ in range(10):
            self._two_resources_of_one_object_are_refused()
            self.run(refresh=True)
            if self.failures:
                self._follow_advice(may_exist)
            elif not self._write_stored_forms() and not self._unseen():
                break
        assert self.failures == []
        self._services_have_what_is_declared()
        self._nothing_is_left_over()
        self._previews_show_no_change()
        with self.stack.command():
            for name in self.program:
                self.stack.refresh(name)
        self._previews_show_no_change()
        self._may_exist.clear()

    def _write_stored_forms(self) -> bool:
        """Write the values in the program as the services store them. Return whether that changes the program.

        An update whose inputs are those in the state has no difference that Pulumi displays, so a warning names it.
        """
        if self.form is as_sent:
            return False
        changed = False
        for name, program in self.program.items():
            with self.stack.command():
                self.log.take()
                resource = self.stack.resources[name]
                checked = self.stack.servicer.check(_provider(name), self._inputs(name), resource.inputs)
                is_silent = self._preview(name) == "update" and checked == resource.inputs
                warned = [line for line in self.log.take() if "stores another form" in line]
                assert warned or not is_silent, f"{name} is updated for ever, and no preview says why"
                assert not any(SECRET in line for line in warned)
                self.figures["other forms named"] += is_silent
                self.program[name] = stored_properties(program, self.form)
                changed = changed or self.program[name] != program
        return changed

    def _unseen(self) -> list[str]:
        """Return the variables that only the next refresh finds, because `unmanagedVariables` no longer lists them."""
        now = objects(self.services)
        return [
            path
            for name in self.program
            for path in now[self._id_in_state(name)]
            if kind_of(name).is_variable(path)
            and path not in {*self._declared(name), *self._known[name]}
            and not kind_of(name).is_unmanaged(path, self.program[name])
        ]

    def _previews_show_no_change(self) -> None:
        with self.stack.command():
            for name in self.program:
                assert self._preview(name) == "same", name

    def _preview(self, name: str) -> str:
        return self.stack.preview(name, _provider(name), self.program[name], ignore=self.ignored.get(name, ()))

    def _two_resources_of_one_object_are_refused(self) -> None:
        """Assert that a preview rejects the resources that have one object in the state, except one at most."""
        resources: dict[str, list[str]] = {}
        for name in self.program:
            if name in self.stack.resources:
                resources.setdefault(self._id_in_state(name), []).append(name)
        with self.stack.command():
            for names in resources.values():
                refused = [name for name in names if len(names) > 1 and self._preview_is_refused(name)]
                assert len(refused) >= len(names) - 1, names
                self.figures["shared objects refused"] += len(refused)

    def _preview_is_refused(self, name: str) -> bool:
        try:
            self._preview(name)
        except (InvalidInputsError, ProviderError) as error:
            if isinstance(error, ProviderError) and not isinstance(error.error, AlreadyExistsError):
                raise
            return True
        return False

    def _follow_advice(self, may_exist: Collection[tuple[object, ...]]) -> None:
        """Change the program as the errors advise."""
        removed: set[tuple[object, ...]] = set()
        not_adopted = {self._identity(failure.name) for failure in self.failures if failure.operation == "up"}
        for failure in self.failures:
            name, error = failure.name, failure.error
            if failure.operation == "up" and name not in self.program:
                continue  # it was removed as a duplicate
            if failure.operation == "destroy":
                assert type(error) is Error, failure
                assert self._state_identity(name) in not_adopted, failure
            elif error is None or isinstance(error, ConfigurationError):
                self._make_valid(name, failure)
            elif isinstance(error, NothingToAdoptError):
                self.program[name]["adopt"] = True
            else:
                assert isinstance(error, AlreadyExistsError), failure
                self._resolve(name, error, may_exist, removed)

    def _make_valid(self, name: str, failure: Failure) -> None:
        """Add what a create needs, or stop ignoring inputs that contradict the program."""
        if not kind_of(name).add_missing(self.program[name]):
            assert self.ignored[name], failure
            self.ignored[name] = ()

    def _state_identity(self, name: str) -> tuple[object, ...]:
        kind = kind_of(name)
        return kind.identity_of(kind.declared(self.stack.resources[name].outputs))

    def _resolve(
        self,
        name: str,
        error: AlreadyExistsError,
        may_exist: Collection[tuple[object, ...]],
        removed: set[tuple[object, ...]],
    ) -> None:
        """Remove one of the resources that declare the same object, or adopt an existing object."""
        if (wanted := self._identity(name)) in removed:
            return
        if len(conflicting := self._conflicting(name)) > 1:
            self.figures["duplicates removed"] += 1
            removed.add(wanted)
            self.drop(self.choices.choice(sorted(conflicting)))
            return
        now = objects(self.services)
        found = [id_ for id_, parts in now.items() if identity(parts) == wanted]
        existing = error.resource_id or next(iter(found), None)
        if existing not in now:  # a dropped resource had it, and it is deleted now
            return
        is_update = name in self.stack.resources and error.operation.startswith("update ")
        if is_update and existing in {self._id_in_state(each) for each in self.stack.resources}:
            return  # another resource gives up its name, or is deleted
        dropped_ids = {self._id_in_state(each) for each in self.stack.resources if each not in self.program}
        is_expected = (
            existing in self.outside.owned | dropped_ids | added_by_services(self.services)
            or wanted in may_exist
            or error.undeclared
        )
        assert is_expected, (name, error)
        self.figures["names of others refused"] += is_update
        if is_update or not kind_of(name).can_adopt(self.services):
            kind_of(name).delete(self.services, existing)
            self.outside.owned.discard(existing)
        elif self.program[name].get("adopt"):
            self.figures["undeclared parts refused"] += len(error.undeclared)
            self._add_undeclared(name, error.undeclared, now[existing])
        self.program[name].setdefault("adopt", True)
        self.program[name]["adopt"] = self.program[name]["adopt"] or True

    def _add_undeclared(self, name: str, undeclared: Collection[str], existing: Parts) -> None:
        """Add to the program what an adoption would remove."""
        assert undeclared, name
        for each in undeclared:
            kind_of(name).add_undeclared(self.program[name], each.removesuffix(" (secret)"), existing)

    def _services_have_what_is_declared(self) -> None:
        """Assert that each object has what the program declares. All else is unmanaged, retained or write-only."""
        now = objects(self.services)
        keeps = self.services.omni.dialect.omitted_variables == "kept"
        for name in self.program:
            assert name in self.stack.resources, f"{name} is missing from the state"
            id_, kind, parts = self._id_in_state(name), kind_of(name), self._declared(name)
            for path in {*parts, *now[id_]} - {"kind"}:
                value = parts.get(path)
                if path not in {*parts, *kind.write_only, *kind.chosen}:
                    retained = keeps and path in self._known[name] and kind.is_variable(path)
                    assert retained or kind.is_unmanaged(path, self.program[name]), (name, path)
                elif path in parts and not is_placeholder(value):
                    is_hidden = isinstance(value, tuple) and value[1]
                    wanted = self._hidden.get((id_, path), value) if is_hidden else value
                    assert now[id_].get(path) == wanted, (name, path, now[id_].get(path), wanted)

    def _nothing_is_left_over(self) -> None:
        """Assert that each object is in the state, was created outside Pulumi, or was added by its service."""
        now = objects(self.services)
        managed = {self._id_in_state(name) for name in self.stack.resources}
        self.outside.owned |= self._lost_duplicates(now, managed)
        left = now.keys() - managed - self.outside.owned - added_by_services(self.services)
        assert left == set(), left

    def _lost_duplicates(self, now: Objects, managed: Collection[str]) -> set[str]:
        """Return objects of killed creates that nobody can tell from the objects that were adopted instead.

        Omni adds the default environment "Production" to a dbt configuration, even if an environment of this name
        exists. An error has named the existing one.
        """
        identities = {id_: identity(parts) for id_, parts in now.items()}
        adopted = {identities[id_] for id_ in managed} & self._may_exist
        return {id_ for id_, it in identities.items() if it in adopted and id_ not in managed}

    def _id_in_state(self, name: str) -> str:
        return self._object_id(name, self.stack.resources[name]) or ""

    @staticmethod
    def _object_id(name: str, resource: Resource | None) -> str | None:
        """Return the ID of the object that a resource has in the state."""
        return None if resource is None else str(resource.outputs[kind_of(name).sample.id_key])


class Log(logging.Handler):
    """Keeps all messages of the package."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self._texts.append(record.getMessage())

    def take(self) -> list[str]:
        """Return the messages since the last call, including the debug messages about requests."""
        texts, self._texts = self._texts, []
        return texts


def _provider(name: str) -> Provider[Any, Any, Any]:
    return kind_of(name).sample.provider()


def _triggers(properties: Mapping[str, Any]) -> dict[str, object]:
    """Return the arguments whose change alone is an update."""
    return {key: value for key, value in properties.items() if key.endswith("Trigger") and value is not None}
