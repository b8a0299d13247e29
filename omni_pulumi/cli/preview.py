"""What a preview says, from either of the JSON forms in which Pulumi says it.

``pulumi preview --json`` writes one object, the digest: steps and diagnostics, and no word of policies. The engine's
events, a line each, say all: ``PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1 pulumi preview --json`` writes them to stdout,
``PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log FILE`` to a file beside the usual output.

Surprising facts: Python's dynamic providers tell of no property that differs, so this compares old and new inputs. A
step of a refresh looks the same before and after in the digest; what others changed is the old side of a later step.
The digest leaves out what does not change, but counts it; an event log tells of the engine's own
providers too, and may be an update's. A replacement is three steps among the events and one in the
digest. Texts in an event log have Pulumi's own colour tags.

Source: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni_pulumi.cli.errors import InputError
from omni_pulumi.cli.urns import Urn
from omni_pulumi.cli.values import Change, Decoder, Special, Value

_COLOURS = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;?]*[A-Za-z]")
_OURS = "omni_pulumi: "
"""How our providers begin a line on stderr."""
_ANOTHER_VALUE = re.compile(r"^omni_pulumi: (?P<id>.*?): (?P<path>\S+) gets another value$", re.MULTILINE)
_NOT_APPLICABLE = re.compile(r"^can't run policy .* during preview: (?P<why>.*)$", re.DOTALL)
_OPERATIONS = {
    "import-replacement": "replace",
    "create-replacement": "replace",
    "delete-replaced": "delete",
    "remove-pending-replace": "delete",
}
"""Steps that stand for something else when they are all that is said of a resource."""
_LINE_WITH_BRACE = re.compile(r"^\{", re.MULTILINE)
_ADOPTIONS = {True: "create or adopt", "existing": "adopt"}
"""What a create is, by the ``adopt`` of the resource: a preview does not know whether the object exists."""
_TYPES = ("pulumi-python:dynamic/omni:", "pulumi-python:dynamic/lightdash:")
_EMPTY = "The preview is empty: Pulumi failed before it began, and says why on stderr."
_EXPECTED = "Expected what `pulumi preview --json` prints or --event-log writes"
_DIGEST = {"steps", "changeSummary", "diagnostics"}
_SILENT = {"same", "refresh", "read", "read-replacement", "discard", "discard-replaced"}
"""Steps that change nothing."""


@dataclass(frozen=True)
class Step:
    """What happens to a resource.

    Attributes:
        operation: ``replace``, ``delete``, ``update``, ``import``, ``adopt``, ``create or adopt`` or ``create``.
    """

    urn: Urn
    operation: str
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]
    """Properties that force a replacement."""
    told: tuple[str, ...]
    """Secrets of which only the provider says that they get another value."""
    others: tuple[str, ...]
    """Properties of which only the provider says that they differ, such as outputs."""


@dataclass(frozen=True)
class Drift:
    """What others changed: from what the state has to what a refresh found."""

    urn: Urn
    changes: tuple[Change, ...]
    gone: bool
    planned: Mapping[str, Value]
    """What the changed leaves become, where the preview has a step for them."""
    created_again: bool
    deleted: bool


@dataclass(frozen=True)
class Verdict:
    """What a policy says of a resource."""

    policy: str
    level: str
    urn: Urn
    text: str
    applicable: bool = True


@dataclass(frozen=True)
class Preview:
    """All that a reviewer wants to know of a preview."""

    stack: str
    """``project/stack``, empty when the preview failed before it named one."""
    steps: tuple[Step, ...]
    drifts: tuple[Drift, ...]
    unchanged: int
    verdicts: tuple[Verdict, ...]
    errors: tuple[tuple[Urn | None, str], ...]
    notes: tuple[str, ...]
    failed: bool
    complete: bool
    secrets: tuple[str, ...] = field(repr=False)
    """Texts that are secret, the longest first."""


def read(text: str) -> Preview:
    """A preview from either form.

    Raises:
        InputError: the text is not a preview, or says nothing of one.
    """
    if not text.strip():
        raise InputError(_EMPTY)
    document, start, end = _find(text)
    reader = _Reader()
    try:
        if "sequence" in document:
            reader.events(text[start:])
        elif text[end:].strip():
            raise InputError("Expected one preview, got more after its end.")
        else:
            reader.digest(document)
        if not (reader.steps or reader.diagnostics or reader.verdicts or reader.counts is not None):
            raise InputError(_EMPTY)
        return reader.preview()
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{_EXPECTED}, got other JSON.") from None


def _find(text: str) -> tuple[dict[str, Any], int, int]:
    """Return the digest or the first event, and where it begins and ends.

    Pulumi, or what starts it, may say something before, also with braces. What Pulumi writes begins on a line of its
    own, so only the beginnings of lines are tried, or else the first brace.

    Raises:
        InputError: there is none.
    """
    decoder, problem = json.JSONDecoder(), "got no JSON"
    for start in [found.start() for found in _LINE_WITH_BRACE.finditer(text)] or [max(text.find("{"), 0)]:
        try:
            document, end = decoder.raw_decode(text, start)
        except ValueError:
            continue
        if isinstance(document, dict) and (not document or {"sequence", *_DIGEST} & set(document)):
            return document, start, end
        problem = "got other JSON"
    raise InputError(f"{_EXPECTED}, {problem}.")


class _Reader:
    """Gathers what either form says, in the words of one."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.steps: list[dict[str, Any]] = []
        self.found: dict[str, Any] = {}
        """Inputs that a refresh found, by URN; None for a resource that is gone."""
        self.diagnostics: list[dict[str, Any]] = []
        self.verdicts: list[Verdict] = []
        self.counts: dict[str, int] | None = None

    def digest(self, document: dict[str, Any]) -> None:
        """Read the one object."""
        self.decoder.decode(document.get("config"))
        for raw in document.get("steps") or []:
            step = self.decoder.decode(raw)
            names = [*(step.get("diffReasons") or []), *(step.get("detailedDiff") or {})]
            self._step(step, step.get("oldState"), step.get("newState"), step.get("replaceReasons"), names)
        self.diagnostics = document.get("diagnostics") or []
        self.counts = document.get("changeSummary")

    def events(self, text: str) -> None:
        """Read the lines; the last one may be cut off. Only a line feed ends one: values may hold any other end."""
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
                    self._event(kind, value)

    def _event(self, kind: str, value: dict[str, Any]) -> None:
        if kind == "diagnosticEvent":
            if value.get("severity") != "debug":
                self.diagnostics.append(value)
        elif kind == "summaryEvent":
            if value.get("isPreview") is False:
                raise InputError("Expected the events of a preview, got those of an update.")
            self.counts = value.get("resourceChanges") or {}
        elif kind == "preludeEvent":
            self.decoder.decode(value)
        elif kind == "policyEvent":
            self.verdicts.append(_verdict(value))
        elif kind == "policyRemediationEvent":
            before, after = self.decoder.decode(value.get("before")), self.decoder.decode(value.get("after"))
            paths = ", ".join(change.path for change in self.decoder.changes(before, after))
            urn = Urn.parse(value["resourceUrn"])
            self.verdicts.append(Verdict(value["policyName"], "remediated", urn, f"changed {paths}"))
        elif kind in {"resourcePreEvent", "resOutputsEvent"}:
            step = self.decoder.decode(value.get("metadata") or {})
            if kind == "resourcePreEvent":
                names = [*(step.get("diffs") or []), *(step.get("detailedDiff") or {})]
                self._step(step, step.get("old"), step.get("new"), step.get("keys"), names)
            elif step.get("op") == "refresh":
                self.found[step["urn"]] = (step["new"] or {}).get("inputs") if step.get("new") else None

    def _step(self, step: Value, old: Value, new: Value, reasons: list[str] | None, names: list[str]) -> None:
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
        """What was read."""
        texts = [(item, _plain(item.get("message", ""))) for item in self.diagnostics]
        failures = [(item, text) for item, text in texts if item.get("severity") == "error"]
        errors = [(item, text) for item, text in failures if text != "preview failed"]
        provider = [line for item, text in texts if item.get("severity") == "info#err" for line in text.splitlines()]
        notes = [text for item, text in texts if item.get("severity") == "warning"]
        said = [line for line in provider if line.startswith(_OURS) and not _ANOTHER_VALUE.match(line)]
        notes += [line.removeprefix(_OURS) for line in said]
        told: dict[str, list[str]] = {}
        for match in _ANOTHER_VALUE.finditer("\n".join(provider)):
            told.setdefault(match["id"], []).append(match["path"])
        steps = [self._changed(step, told) for step in self._logical()]
        drifts = tuple(self._drifts())
        urns = [Urn.parse(step["urn"]) for step in self.steps]
        urns += [verdict.urn for verdict in self.verdicts]
        urns += [Urn.parse(item["urn"]) for item, _ in texts if item.get("urn")]
        stands = [step["op"] for step in self.steps if Urn.parse(step["urn"]).is_stack and step["op"] == "same"]
        same = (self.counts or {}).get("same", 0) - bool(stands) if self.counts is not None else self._sames()
        return Preview(
            stack=next((f"{urn.project}/{urn.stack}" for urn in urns), ""),
            steps=tuple(step for step in steps if not step.urn.is_stack),
            drifts=drifts,
            unchanged=max(same, 0),
            verdicts=tuple(self.verdicts),
            errors=tuple((Urn.parse(item["urn"]) if item.get("urn") else None, text) for item, text in errors),
            notes=tuple(dict.fromkeys(notes)),
            failed=bool(failures),
            complete=self.counts is not None,
            secrets=tuple(sorted(self.decoder.secrets, key=lambda secret: (-len(secret), secret))),
        )

    def _logical(self) -> Iterator[dict[str, Any]]:
        """One step for what happens to a resource: of a replacement's three only the one that names it."""
        spoken_of = {step["urn"] for step in self.steps if step["op"] not in {*_OPERATIONS, *_SILENT}}
        seen: set[str] = set()
        for step in self.steps:
            if step["op"] in _OPERATIONS:
                if step["urn"] in spoken_of | seen:
                    continue
                seen.add(step["urn"])
            if step["op"] not in _SILENT:
                yield step

    def _changed(self, step: dict[str, Any], told: Mapping[str, list[str]]) -> Step:
        changes = tuple(self.decoder.changes(step["old"] or {}, step["new"] or {}))
        seen = [change.path for change in changes]

        def unseen(names: list[str]) -> tuple[str, ...]:
            if step["op"] not in {"update", "replace"}:
                return ()
            return tuple(n for n in dict.fromkeys(names) if not any(covers(n, p) or covers(p, n) for p in seen))

        secrets = unseen(told.get(step["id"] or "", []))
        seen += secrets
        urn, reasons = Urn.parse(step["urn"]), tuple(step["reasons"])
        return Step(urn, _operation(step), changes, reasons, secrets, unseen(step["names"]))

    def _drifts(self) -> Iterator[Drift]:
        """Refreshed resources that are not what the state has."""
        later = {step["urn"]: step for step in self.steps if step["op"] != "refresh" and step["op"] not in _OPERATIONS}
        for step in self.steps:
            urn = step["urn"]
            if step["op"] != "refresh" or not (urn in self.found or urn in later) or Urn.parse(urn).is_stack:
                continue
            after = later.get(urn, {"op": "", "urn": urn, "old": None, "new": None})
            found = self.found[urn] if urn in self.found else after["old"]
            gone = found is None
            changes = () if gone else tuple(self.decoder.changes(step["old"] or {}, found))
            planned = {change.path: change.after for change in self.decoder.changes(after["old"], after["new"] or {})}
            if gone or changes:
                planned = planned if after["op"] in {"update", "replace"} else {}
                yield Drift(
                    Urn.parse(urn),
                    changes,
                    gone,
                    planned,
                    created_again=_operation(after) in {"create", "create or adopt"},
                    deleted=after["op"] == "delete",
                )

    def _sames(self) -> int:
        return sum(step["op"] == "same" and not Urn.parse(step["urn"]).is_stack for step in self.steps)


def _operation(step: Mapping[str, Any]) -> str:
    operation: str = _OPERATIONS.get(step["op"], step["op"])
    adopt = (step["new"] or {}).get("adopt")
    if operation == "create" and Urn.parse(step["urn"]).type.startswith(_TYPES) and isinstance(adopt, bool | str):
        return _ADOPTIONS.get(adopt, operation)
    return operation


def covers(name: str, path: str) -> bool:
    """Whether a property, or one inside it, is meant by a name."""
    return path == name or path.startswith((f"{name}.", f"{name}["))


def reverted(drift: Drift) -> set[str]:
    """Paths that the preview only puts back to what the state has."""
    absent = Special.ABSENT
    return {change.path for change in drift.changes if drift.planned.get(change.path, absent) == change.before}


def _verdict(event: dict[str, Any]) -> Verdict:
    text = _plain(event.get("message", ""))
    level, urn = event.get("enforcementLevel", "advisory"), Urn.parse(event.get("resourceUrn", ""))
    if match := _NOT_APPLICABLE.match(text):
        return Verdict(event["policyName"], level, urn, match["why"], applicable=False)
    return Verdict(event["policyName"], level, urn, text)


def _plain(text: str) -> str:
    """A diagnostic without colours and the word that its severity says."""
    return re.sub(r"^(?:error|warning): ", "", _COLOURS.sub("", text).strip())
