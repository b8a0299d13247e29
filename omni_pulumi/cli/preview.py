"""Read a preview from either of Pulumi's JSON formats.

``pulumi preview --json`` prints one object, the digest: steps and diagnostics, without policy violations. The engine's
events, one JSON object per line, have everything: ``PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1 pulumi preview --json``
prints them to stdout, and ``PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log FILE`` writes them to a file.

The formats differ, and neither is complete:

- Dynamic providers in Python report no changed properties, so this module compares old and new inputs.
- In the digest, a refresh step has the same inputs before and after. The inputs that the refresh found are the old
  side of a later step.
- The digest counts unchanged resources without listing them.
- A replacement is three steps in the events and one in the digest.
- Texts in events contain Pulumi's own colour tags.
- An event log may also be that of an update, and it includes the engine's default providers.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni_pulumi import notes
from omni_pulumi.cli.documents import find
from omni_pulumi.cli.errors import EmptyPreviewError, InputError
from omni_pulumi.cli.urns import Urn
from omni_pulumi.cli.values import Change, Decoder, Special, Value, masked_on_both_sides

_COLOURS = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;?]*[A-Za-z]")
_NOT_APPLICABLE = re.compile(r"^can't run policy .* during preview: ")
_PARTS_OF_REPLACEMENTS = {
    "import-replacement": "replace",
    "create-replacement": "replace",
    "delete-replaced": "delete",
    "remove-pending-replace": "delete",
}
"""Steps of a replacement, and the operation to show when the resource has no other step."""
_ADOPTIONS = {True: "create or adopt", "existing": "adopt"}
"""Operation of a ``create`` step by the argument ``adopt``. A preview does not know whether the object exists."""
TYPES = ("pulumi-python:dynamic/omni:", "pulumi-python:dynamic/lightdash:")
"""Beginnings of the types of this package."""
_EMPTY = "The preview is empty: Pulumi failed before the preview started. Its log has the reason."
_EXPECTED = "Expected the output of `pulumi preview --json` or the file of its --event-log"
_UPDATE = f"{_EXPECTED}, got the events of an update."
_REFRESH = (
    "The output of `pulumi refresh --json` does not contain what the refresh found. Run "
    "`PULUMI_DEBUG_COMMANDS=1 pulumi refresh --preview-only --event-log events.jsonl`, and pass `events.jsonl`."
)
_DIGEST = {"steps", "changeSummary", "diagnostics"}
LOCAL = {"adopt", "profile", "secretsTrigger", "rotateKeysTrigger", "unmanagedVariables"}
"""Arguments of this package that no service has, so that a refresh says nothing about them."""
_UNCHANGED = {"same", "refresh", "read", "read-replacement", "discard", "discard-replaced"}
"""Steps that change nothing."""


@dataclass(frozen=True)
class Step:
    """What the preview does with a resource.

    Attributes:
        urn: the resource.
        operation: ``replace``, ``delete``, ``update``, ``import``, ``adopt``, ``create or adopt`` or ``create``.
        changes: the changed inputs.
        reasons: properties that force a replacement.
        secret_changes: properties that have a new value according to the provider, and are masked.
        maybe_changed: masked properties of which the provider names none, if nothing else explains the step.
        provider_only_diffs: properties that differ according to the provider and have equal inputs, such as outputs.
    """

    urn: Urn
    operation: str
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]
    secret_changes: tuple[str, ...]
    maybe_changed: tuple[str, ...]
    provider_only_diffs: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """What changed outside Pulumi: the difference between the state and what a refresh found.

    Attributes:
        urn: the resource.
        changes: the changed inputs.
        secret_changes: properties that differ according to the provider, and are masked.
        provider_only_diffs: properties that differ according to the provider, whose values the preview does not have.
        deleted_outside: whether the resource no longer exists.
        planned: values after the update, by path, where the preview changes them.
        created_again: whether the preview creates the resource again.
        deleted: whether the preview deletes the resource.
    """

    urn: Urn
    changes: tuple[Change, ...]
    secret_changes: tuple[str, ...]
    provider_only_diffs: tuple[str, ...]
    deleted_outside: bool
    planned: Mapping[str, Value]
    created_again: bool
    deleted: bool


@dataclass(frozen=True)
class PolicyViolation:
    """A violation of a policy, or a remediation of one."""

    policy: str
    level: str
    urn: Urn
    text: str


@dataclass(frozen=True)
class Preview:
    """The parts of a preview that a reviewer needs.

    Attributes:
        stack: ``project/stack``, empty when the preview failed before it named one.
        steps: steps that change a resource.
        drifts: what changed outside Pulumi.
        unchanged: number of unchanged resources.
        violations: violations of policies.
        pending_policies: policies that cannot run yet because a value is unknown, with their resources.
        errors: error messages, with their resources.
        notes: warnings and the providers' notes.
        failed: whether there was an error.
        complete: whether the preview ran to its end.
        unlisted: number of changes that Pulumi counts and that have no step.
        secrets: texts that are secret.
    """

    stack: str
    steps: tuple[Step, ...]
    drifts: tuple[Drift, ...]
    unchanged: int
    violations: tuple[PolicyViolation, ...]
    pending_policies: tuple[tuple[str, Urn], ...]
    errors: tuple[tuple[Urn | None, str], ...]
    notes: tuple[str, ...]
    failed: bool
    complete: bool
    unlisted: int
    secrets: frozenset[str] = field(repr=False)

    @property
    def operations(self) -> dict[Urn, str]:
        """The operation on each resource that changes."""
        return {step.urn: step.operation for step in self.steps}


def read(text: str) -> Preview:
    """Return the preview in a digest or in events.

    Raises:
        InputError: the text is neither, or is empty.
    """
    if not text.strip():
        raise EmptyPreviewError(_EMPTY)
    document, start, end = find(text, {"sequence", *_DIGEST}, _EXPECTED)
    reader = _Reader()
    try:
        if "sequence" in document:
            reader.read_events(text[start:])
        elif text[end:].strip():
            raise InputError(f"{_EXPECTED}, got more text after it, as from `pulumi up --json`.")
        else:
            reader.read_digest(document)
        if reader.is_empty():
            raise EmptyPreviewError(_EMPTY)
        return reader.preview()
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{_EXPECTED}, got other JSON.") from None


class _Reader:
    """Collects the contents of either format in one form."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.steps: list[dict[str, Any]] = []
        self.refreshed: dict[str, Any] = {}
        """Inputs that a refresh found, by URN; ``None`` for a deleted resource."""
        self.changed_outside: set[str] = set()
        """URNs of the resources that differ according to ``pulumi refresh``, also those with equal inputs."""
        self.refreshing: set[str] = set()
        """URNs of the resources whose last step is a refresh that has no result yet."""
        self.diagnostics: list[dict[str, Any]] = []
        self.violations: list[PolicyViolation] = []
        self.pending_policies: list[tuple[str, Urn]] = []
        self.counts: dict[str, int] | None = None

    def is_empty(self) -> bool:
        """Return whether the preview has no contents at all. Even an empty program has one step, the stack."""
        collected = self.steps or self.diagnostics or self.violations or self.pending_policies
        return not collected and not self.counts

    def read_digest(self, document: dict[str, Any]) -> None:
        """Read the digest."""
        self.decoder.decode(document.get("config"))
        for raw in document.get("steps") or []:
            step = self.decoder.decode(raw)
            names = [*(step.get("diffReasons") or []), *(step.get("detailedDiff") or {})]
            self._add_step(step, step.get("oldState"), step.get("newState"), step.get("replaceReasons"), names)
        self.diagnostics = document.get("diagnostics") or []
        self.counts = document.get("changeSummary")
        if self._is_refresh() and not any(item.get("severity") == "error" for item in self.diagnostics):
            raise InputError(_REFRESH)

    def read_events(self, text: str) -> None:
        """Read the events. The last line may be truncated.

        Only a line feed ends a line: a value may contain any other line separator.
        """
        lines = text.rstrip("\n").split("\n")
        for number, line in enumerate(lines, start=1):
            try:
                event = json.loads(line)
            except ValueError:
                if number < len(lines):
                    raise InputError(f"{_EXPECTED}, got no JSON in line {number}.") from None
                continue
            for kind, value in event.items() if isinstance(event, dict) else ():
                if isinstance(value, dict):
                    self._read_event(kind, value)

    def _read_event(self, kind: str, value: dict[str, Any]) -> None:
        if kind == "diagnosticEvent":
            if value.get("severity") != "debug":
                self.diagnostics.append(value)
        elif kind == "summaryEvent":
            if value.get("isPreview") is False:
                raise InputError(_UPDATE)
            self.counts = value.get("resourceChanges") or {}
        elif kind == "preludeEvent":
            self.decoder.decode(value)
        elif kind == "policyEvent":
            self._read_policy_event(value)
        elif kind == "policyRemediationEvent":
            before, after = self.decoder.decode(value.get("before")), self.decoder.decode(value.get("after"))
            paths = ", ".join(change.path for change in self.decoder.changes(before, after))
            urn = Urn.parse(value["resourceUrn"])
            self.violations.append(PolicyViolation(value["policyName"], "remediated", urn, f"changed {paths}"))
        elif kind in {"resourcePreEvent", "resOutputsEvent"}:
            step = self.decoder.decode(value.get("metadata") or {})
            if not value.get("planning"):
                raise InputError(_UPDATE)
            if kind == "resourcePreEvent":
                names = [*(step.get("diffs") or []), *(step.get("detailedDiff") or {})]
                self._add_step(step, step.get("old"), step.get("new"), step.get("keys"), names)
                (self.refreshing.add if step["op"] == "refresh" else self.refreshing.discard)(step["urn"])
            elif step["urn"] in self.refreshing:
                self.refreshing.remove(step["urn"])
                self.refreshed[step["urn"]] = (step["new"] or {}).get("inputs") if step.get("new") else None
                if step["op"] not in _UNCHANGED:
                    self.changed_outside.add(step["urn"])

    def _read_policy_event(self, event: dict[str, Any]) -> None:
        text, urn = _plain_text(event.get("message", "")), Urn.parse(event.get("resourceUrn", ""))
        if _NOT_APPLICABLE.match(text):
            self.pending_policies.append((event["policyName"], urn))
        else:
            level = event.get("enforcementLevel", "advisory")
            self.violations.append(PolicyViolation(event["policyName"], level, urn, text))

    def _add_step(self, step: Value, old: Value, new: Value, reasons: list[str] | None, names: list[str]) -> None:
        if Urn.parse(step["urn"]).is_default_provider:
            return
        self.steps.append(
            {
                "op": step["op"],
                "urn": step["urn"],
                "id": (old or {}).get("id"),
                "old": (old or {}).get("inputs"),
                "new": (new or {}).get("inputs"),
                "reasons": reasons or [],
                "names": names,
            }
        )

    def preview(self) -> Preview:
        """Return the preview."""
        texts = [(item, _plain_text(item.get("message", ""))) for item in self.diagnostics]
        failures = [(item, text) for item, text in texts if item.get("severity") == "error"]
        errors = [(item, text) for item, text in failures if text != "preview failed"]
        stderr = [line for item, text in texts if item.get("severity") == "info#err" for line in text.splitlines()]
        provider_notes = [note for note in map(notes.parse, stderr) if note]
        sentences = [text for item, text in texts if item.get("severity") == "warning"]
        sentences += [note.text for note in provider_notes if note.kind not in {notes.CHANGES, notes.DRIFT}]
        named: dict[tuple[str, str], list[str]] = {}
        for note in provider_notes:
            named.setdefault((note.kind, note.resource_id), []).extend(note.properties)
        drifts = tuple(self._drifts(named))
        steps = [self._changed(step, named.get((notes.CHANGES, step["id"]), [])) for step in self._merged_steps()]
        return Preview(
            stack=self._stack(),
            steps=tuple(step for step in steps if not step.urn.is_stack),
            drifts=drifts,
            unchanged=self._unchanged(),
            violations=tuple(self.violations),
            pending_policies=tuple(self.pending_policies),
            errors=tuple((Urn.parse(item["urn"]) if item.get("urn") else None, text) for item, text in errors),
            notes=tuple(dict.fromkeys(sentences)),
            failed=bool(failures),
            complete=self.counts is not None,
            unlisted=self._unlisted(len(drifts)),
            secrets=frozenset(self.decoder.secrets),
        )

    def _stack(self) -> str:
        urns = [Urn.parse(step["urn"]) for step in self.steps]
        urns += [violation.urn for violation in self.violations]
        urns += [urn for _, urn in self.pending_policies]
        urns += [Urn.parse(item["urn"]) for item in self.diagnostics if item.get("urn")]
        return next((f"{urn.project}/{urn.stack}" for urn in urns), "")

    def _unchanged(self) -> int:
        """Return the number of unchanged resources. The stack is a resource too, and is not counted."""
        same = [Urn.parse(step["urn"]).is_stack for step in self.steps if step["op"] == "same"]
        if self.counts is None:
            return same.count(False)
        has_stack = any(Urn.parse(step["urn"]).is_stack for step in self.steps if step["op"] in {"same", "refresh"})
        return max(self.counts.get("same", 0) - has_stack, 0)

    def _is_refresh(self) -> bool:
        """Return whether this is the preview of ``pulumi refresh``: the program has no step."""
        return {"refresh"} == {step["op"] for step in self.steps if Urn.parse(step["urn"]).is_stack}

    def _unlisted(self, drifts: int) -> int:
        """Return the number of changes that Pulumi counts and that have no step."""
        counts = {op: count for op, count in (self.counts or {}).items() if op not in _UNCHANGED}
        if self._is_refresh():
            return max(sum(counts.values()) - drifts, 0)
        listed = Counter(step["op"] for step in self.steps)
        return sum(max(count - listed[op], 0) for op, count in counts.items())

    def _merged_steps(self) -> Iterator[dict[str, Any]]:
        """Yield one step for each changed resource."""
        complete = {step["urn"] for step in self.steps if step["op"] not in {*_PARTS_OF_REPLACEMENTS, *_UNCHANGED}}
        seen: set[str] = set()
        for step in self.steps:
            if step["op"] in _PARTS_OF_REPLACEMENTS:
                if step["urn"] in complete | seen:
                    continue
                seen.add(step["urn"])
            if step["op"] not in _UNCHANGED:
                yield step

    def _changed(self, step: dict[str, Any], named: list[str]) -> Step:
        """Return a step.

        Args:
            step: its old and new inputs.
            named: the properties that change according to a note of the provider.
        """
        changes = tuple(self.decoder.changes(step["old"] or {}, step["new"] or {}))
        names = [*step["names"], *named] if step["op"] in {"update", "replace"} else []
        masked = masked_on_both_sides(step["old"], step["new"])
        secrets, others = _unseen(names, changes, masked)
        reasons = tuple(step["reasons"])
        is_explained = changes or secrets or others or reasons or step["op"] != "update"
        return Step(
            Urn.parse(step["urn"]), _operation(step), changes, reasons, secrets, () if is_explained else masked, others
        )

    def _drifts(self, named: Mapping[tuple[str, str], list[str]]) -> Iterator[Drift]:
        """Yield the refreshed resources that differ from the state."""
        ignored = {"refresh", *_PARTS_OF_REPLACEMENTS}
        later_steps = {step["urn"]: step for step in self.steps if step["op"] not in ignored}
        for step in self.steps:
            urn = step["urn"]
            names = named.get((notes.DRIFT, step["id"]), [])
            known = urn in self.refreshed or urn in later_steps
            if step["op"] != "refresh" or not (known or names) or Urn.parse(urn).is_stack:
                continue
            later = later_steps.get(urn, {"op": "", "urn": urn, "old": None if known else step["old"], "new": None})
            found = self.refreshed[urn] if urn in self.refreshed else later["old"]
            every = () if found is None else tuple(self.decoder.changes(step["old"] or {}, found))
            is_ours = Urn.parse(urn).type.startswith(TYPES)
            changes = tuple(change for change in every if not (is_ours and change.path in LOCAL))
            is_changed = urn in self.changed_outside and (changes == every or bool(changes))
            secrets, others = _unseen(names, changes, masked_on_both_sides(step["old"], found))
            if known and urn not in self.changed_outside:
                others = ()
            if found is not None and not (changes or secrets or others or is_changed):
                continue
            planned = {change.path: change.after for change in self.decoder.changes(later["old"], later["new"] or {})}
            yield Drift(
                Urn.parse(urn),
                changes,
                secrets,
                others,
                deleted_outside=found is None,
                planned=planned if later["op"] in {"update", "replace"} else {},
                created_again=_operation(later) in {"create", "create or adopt"},
                deleted=later["op"] == "delete",
            )


def _unseen(
    names: Iterable[str], changes: Iterable[Change], masked: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the named properties that no change covers: those that are masked, and the others."""
    secrets: dict[str, None] = {}
    others: dict[str, None] = {}
    seen, masked = [change.path for change in changes], [*masked]
    for name in names:
        if not any(covers(name, path) or covers(path, name) for path in seen):
            within = next((path for path in masked if covers(path, name)), None)
            (others if within is None else secrets)[within or name] = None
    return tuple(secrets), tuple(others)


def _operation(step: Mapping[str, Any]) -> str:
    operation: str = _PARTS_OF_REPLACEMENTS.get(step["op"], step["op"])
    adopt = (step["new"] or {}).get("adopt")
    if operation == "create" and Urn.parse(step["urn"]).type.startswith(TYPES) and isinstance(adopt, bool | str):
        return _ADOPTIONS.get(adopt, operation)
    return operation


def covers(name: str, path: str) -> bool:
    """Return whether a path is the named property or inside it."""
    return path == name or path.startswith((f"{name}.", f"{name}["))


def reverted(drift: Drift) -> set[str]:
    """Return the paths whose values the preview sets back to those of the state."""
    absent = Special.ABSENT
    return {change.path for change in drift.changes if drift.planned.get(change.path, absent) == change.before}


def _plain_text(text: str) -> str:
    """Return a diagnostic without colours and without its severity at the beginning."""
    return re.sub(r"^(?:error|warning): ", "", _COLOURS.sub("", text).strip())
