"""A preview as a comment of a pull request: what a reviewer has to see, in the order in which it matters.

The comment begins with a marker that names the stack, by which a workflow finds its own to update it. GitHub refuses
more than 65,536 characters, so each part has a share and says how many lines it left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from omni_pulumi.cli.markdown import block, code, prose, row, shorten, shorten_both
from omni_pulumi.cli.preview import Drift, Preview, Step, covers, reverted
from omni_pulumi.cli.urns import Urn
from omni_pulumi.cli.values import Change, Special, Value, scrub, show

_CREATES = ("adopt", "create or adopt", "create")
_ORDER = ("replace", "delete", "update", "import", *_CREATES)
_LEVELS = ("mandatory", "remediated", "remediate", "advisory")
_PATH, _VALUE, _TEXT, _ERROR = 120, 100, 300, 2_000
_NAMES = 5
"""Resources for which a policy waits, enough to recognize them."""
_LEAVES = 12
"""Leaves of a resource that comes or goes."""
_ROWS = 20
"""Lines of a resource that changes."""


class _Shares(NamedTuple):
    """Characters of each part, together well below GitHub's limit."""

    changes: int = 28_000
    drifts: int = 9_000
    verdicts: int = 12_000
    errors: int = 8_000
    notes: int = 3_000


_SHARES = _Shares()


def summary(preview: Preview, *, stack: str | None = None) -> str:
    """The comment; ``stack`` is what it calls the stack, in place of the preview's own name."""
    name = stack or preview.stack
    parts = [_marker(name), _heading(preview, name), *_Writer(preview).parts()]
    return "\n".join(part for part in parts if part)


def empty(stack: str) -> str:
    """The comment of a preview that failed before it said anything."""
    title = f"### Preview of {code(shorten(stack, 200))} failed"
    return f"{_marker(stack)}\n{title}\n\nPulumi failed before it began: its log has the reason.\n"


def _marker(stack: str) -> str:
    """A comment in HTML may not contain two dashes in a row."""
    return f"<!-- omni-pulumi preview-summary: {quote(shorten(stack, 200), safe='/').replace('--', '-%2D')} -->\n"


def _heading(preview: Preview, stack: str) -> str:
    counts = {name: sum(step.operation == name for step in preview.steps) for name in _ORDER}
    said = [f"{count} to {name}" for name, count in counts.items() if count]
    said += [f"{len(preview.drifts)} changed outside Pulumi"] if preview.drifts else []
    broken = sum(verdict.level == "mandatory" and verdict.applicable for verdict in preview.verdicts)
    said += [f"{broken} mandatory {'policy' if broken == 1 else 'policies'} violated"] if broken else []
    title = f"Preview of {code(shorten(stack, 200)) or 'a stack'}"
    if preview.failed or not preview.complete:
        title += " failed" if preview.failed else " ended early"
        return f"### {title}{': ' if said else ''}{', '.join(said)}\n"
    if not said:
        return f"{title}: no changes, {preview.unchanged} {'resource' if preview.unchanged == 1 else 'resources'}.\n"
    said += [f"{preview.unchanged} unchanged"] if preview.unchanged else []
    return f"### {title}: {', '.join(said)}\n"


class _Writer:
    """Writes the parts of one preview, of which none shows a secret."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        self.drifts = {drift.urn: drift for drift in preview.drifts}
        urns = {step.urn for step in preview.steps} | {drift.urn for drift in preview.drifts}
        urns |= {verdict.urn for verdict in preview.verdicts}
        self.ambiguous = {name for name, count in Counter(urn.short for urn in urns).items() if count > 1}

    def parts(self) -> Iterator[str]:
        """All that has something to say."""
        yield from self._errors()
        if self.preview.failed and not self.preview.errors and not self.preview.verdicts:
            yield "Pulumi gives no reason here: what policies say is only among the engine's events.\n"
        if not self.preview.complete and not self.preview.errors:
            yield "Pulumi gives no reason here: its log has it.\n"
        steps = sorted(self.preview.steps, key=lambda step: (_place(_ORDER, step.operation), step.urn.short))
        rows = [line for step in steps for line in self._rows(step)]
        yield _table(("", "resource", "property", "before", "after"), rows, _SHARES.changes)
        rows = [line for drift in sorted(self.preview.drifts, key=lambda d: d.urn.short) for line in self._drift(drift)]
        header = ("resource", "property", "in the state", "found", "becomes")
        yield _table(header, rows, _SHARES.drifts, title="Changed outside Pulumi:")
        verdicts = [verdict for verdict in self.preview.verdicts if verdict.applicable]
        verdicts.sort(key=lambda v: (_place(_LEVELS, v.level), v.policy, v.urn.short))
        rows = [
            (self._strong(v.level), code(v.policy), self._name(v.urn), prose(self._text(_what(v.text), _TEXT)))
            for v in verdicts
        ]
        yield _table(("", "policy", "resource", "says"), rows, _SHARES.verdicts, title="Policies:")
        yield self._not_applicable()
        yield _list("Notes:", (prose(self._text(note, _TEXT)) for note in self.preview.notes))

    def _errors(self) -> Iterator[str]:
        left = _SHARES.errors
        for number, (urn, text) in enumerate(self.preview.errors):
            shown = self._text(text, None)
            head = shown if len(shown) <= _ERROR else f"{shown[: _ERROR // 4]}\n…\n{shown[-_ERROR * 3 // 4 :]}"
            part = (f"{self._name(urn)}:\n\n" if urn and not urn.is_stack else "") + block(head)
            if len(part) > left:
                yield f"{len(self.preview.errors) - number} more errors are left out.\n"
                return
            left -= len(part)
            yield part

    def _rows(self, step: Step) -> Iterator[Sequence[str]]:
        """A line for each leaf, of which the first one names the resource; one line for what comes or goes."""
        drift = self.drifts.get(step.urn)
        if drift and drift.created_again and step.operation in _CREATES:
            return
        head = [self._strong(step.operation), self._name(step.urn)]
        if step.operation in {"import", "delete", *_CREATES}:
            leaves = self._leaves(step)
            yield [*head, "", leaves, ""] if step.operation == "delete" else [*head, "", "", leaves]
            return
        back = reverted(drift) if drift and step.operation == "update" else set()
        changes = [change for change in step.changes if change.path not in back]
        rows = [self._change(change, step.reasons) for change in changes]
        rows += [[self._path(path), code("[secret]"), f"{code('[secret]')} *another value*"] for path in step.told]
        rows += [[self._path(path), "", "*differs*"] for path in step.others]
        seen = [*(change.path for change in changes), *step.told, *step.others]
        missing = [reason for reason in step.reasons if not any(covers(reason, path) for path in seen)]
        rows += [[self._path(reason) + " **forces replacement**", "", ""] for reason in missing]
        if not rows and not back:
            rows = [["", "", "*no input differs*"]]
        rows.sort(key=lambda cells: "**forces replacement**" not in cells[0])
        if len(rows) > _ROWS:
            rows[_ROWS:] = [[f"*{len(rows) - _ROWS} more*", "", ""]]
        for cells in rows:
            yield [*head, *cells]
            head = ["", ""]

    def _change(self, change: Change, reasons: Sequence[str]) -> list[str]:
        replaces = any(covers(reason, change.path) or covers(change.path, reason) for reason in reasons)
        before, after = self._both(change.before, change.after)
        after += f" *{change.remark}*" if change.remark else ""
        return [self._path(change.path) + (" **forces replacement**" if replaces else ""), before, after]

    def _drift(self, drift: Drift) -> Iterator[Sequence[str]]:
        name = self._name(drift.urn)
        if drift.gone:
            yield [name, "", "", "*deleted*", "*created again*" if drift.created_again else ""]
        for change in drift.changes:
            becomes = "*deleted*" if drift.deleted else "*stays*"
            becomes = self._value(drift.planned[change.path]) if change.path in drift.planned else becomes
            yield [name, self._path(change.path), *self._both(change.before, change.after), becomes or "*removed*"]
            name = ""

    def _leaves(self, step: Step) -> str:
        """The leaves of a resource that comes or goes, in one cell."""
        sides = [(c.path, c.before if step.operation == "delete" else c.after) for c in step.changes]
        shown = [f"{self._path(path)} {self._value(value)}" for path, value in sides[:_LEAVES]]
        more = [f"{len(sides) - _LEAVES} more"] if len(sides) > _LEAVES else []
        return ", ".join([*shown, *more])

    def _not_applicable(self) -> str:
        """Policies that wait for values, a line each."""
        waiting: dict[str, list[Urn]] = {}
        for verdict in self.preview.verdicts:
            if not verdict.applicable:
                waiting.setdefault(verdict.policy, []).append(verdict.urn)
        resources = {
            policy: ", ".join("the stack" if urn.is_stack else self._name(urn) for urn in urns[:_NAMES])
            + (f", {len(urns) - _NAMES} more" if len(urns) > _NAMES else "")
            for policy, urns in sorted(waiting.items())
        }
        title = "Not applicable yet, because values are known after apply:"
        return _list(title, (f"{code(policy)}: {urns}" for policy, urns in resources.items()))

    def _name(self, urn: Urn) -> str:
        return code(shorten(urn.long if urn.short in self.ambiguous else urn.short, _PATH))

    def _path(self, path: str) -> str:
        return code(self._text(path, _PATH))

    def _value(self, value: Value) -> str:
        if value is Special.UNKNOWN:
            return "*known after apply*"
        return code(self._text(show(value), _VALUE))

    def _both(self, before: Value, after: Value) -> tuple[str, str]:
        if isinstance(before, Special) or isinstance(after, Special):
            return self._value(before), self._value(after)
        first, second = shorten_both(self._text(show(before), None), self._text(show(after), None), _VALUE)
        return code(first), code(second)

    def _text(self, text: str, limit: int | None) -> str:
        """A text without secrets; it is shortened afterwards, as half a secret would not be recognized."""
        text = scrub(text, self.preview.secrets)
        return text if limit is None else shorten(text, limit)

    @staticmethod
    def _strong(word: str) -> str:
        return f"**{word}**" if word in {"replace", "delete", "mandatory"} else prose(word)


def _what(text: str) -> str:
    """A policy's text without its description, which is the first of several lines and what its name says."""
    first, _, rest = text.partition("\n")
    return rest.strip() or first


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], share: int, *, title: str = "") -> str:
    if not rows:
        return ""
    lines = [f"{title}\n"] if title else []
    lines += [row(header), row(["---"] * len(header))]
    left = share
    for number, cells in enumerate(rows):
        line = row(cells)
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*lines, "", f"{len(rows) - number} more lines are left out: the comment is full.", ""])
        lines.append(line)
    return "\n".join([*lines, ""])


def _list(title: str, items: Iterable[str]) -> str:
    lines: list[str] = []
    left, out = _SHARES.notes, 0
    for item in items:
        left -= len(item) + 3
        if left < 0:
            out += 1
        else:
            lines.append(f"- {item}")
    more = [f"- {out} more"] if out else []
    return "\n".join([f"{title}\n", *lines, *more, ""]) if lines or more else ""


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
