"""Write a preview as a pull request comment, the changes with the greatest effect first.

The first line is an invisible marker with the name of the stack, by which a workflow finds its comment to update it.
GitHub accepts 65,536 characters, so each part has a limit and says how many lines it omits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from omni_pulumi.cli.flowchart import Graph, flowchart
from omni_pulumi.cli.markdown import block, code, details, prose, row, shorten, shorten_both
from omni_pulumi.cli.preview import TYPES, Drift, Preview, Step, covers, reverted
from omni_pulumi.cli.urns import Urn, ambiguous_names
from omni_pulumi.cli.values import Change, Secret, Special, Value, show
from omni_pulumi.redact import environment_secrets, quoted_forms, redact
from omni_pulumi.secret_text import SECRET

_CREATES = ("adopt", "create or adopt", "create")
_OPERATIONS = ("replace", "delete", "update", "import", *_CREATES)
"""Operations in the order of the comment."""
_LEVELS = ("mandatory", "remediated", "remediate", "advisory")
_PATH, _VALUE, _TEXT, _ERROR = 120, 100, 300, 2_000
"""Longest path, value, text and error message, in characters."""
_NAMES = 5
"""Resources named for a policy that cannot run yet."""
_LEAVES = 12
"""Values shown of a resource that is created or deleted."""
_ROWS = 20
"""Lines shown of a resource that changes."""
_COMMENT = 65_000
"""Longest comment with a graph, in characters."""
_FLOWCHART, _ARROWS = 50_000, 500
"""Characters and arrows of the largest flowchart that Mermaid draws by default."""

_NO_ERROR_MESSAGE = (
    "The preview has no error message. If a policy failed, the violation is only in the engine's events: run "
    "`PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log events.jsonl`, and pass `events.jsonl` to "
    "`omni-pulumi preview-summary`.\n"
)


class _Limits(NamedTuple):
    """Characters of each part, together well below GitHub's limit."""

    changes: int = 28_000
    drifts: int = 9_000
    violations: int = 12_000
    errors: int = 8_000
    notes: int = 3_000


_LIMITS = _Limits()


def summary(preview: Preview, *, stack: str | None = None, graph: Graph | None = None) -> str:
    """Return the comment.

    Args:
        preview: the preview.
        stack: the name of the stack in the comment, instead of the one in the preview.
        graph: the resources of the stack, to be drawn below the summary.
    """
    name = stack or preview.stack
    parts = [_marker(name), _heading(preview, name), *_Writer(preview).parts()]
    text = "\n".join(part for part in parts if part)
    return text + _graph(preview, graph, _COMMENT - len(text)) if graph else text


def unlisted(preview: Preview) -> str:
    """Return the sentence about changes that a preview counts and does not list."""
    changes = f"{preview.unlisted} {'change' if preview.unlisted == 1 else 'changes'}"
    return (
        f"Pulumi counts {changes} that the input does not list. Run "
        "`PULUMI_DEBUG_COMMANDS=1 pulumi preview --event-log events.jsonl`, and pass `events.jsonl`."
    )


def not_started(stack: str, reason: str) -> str:
    """Return the comment for an input that is no preview.

    Args:
        stack: the name of the stack.
        reason: why there is no preview, a sentence of this package.
    """
    return f"{_marker(stack)}\n### Preview of {code(shorten(stack, 200))} failed\n\n{reason}\n"


def _marker(stack: str) -> str:
    """Return the marker, an HTML comment. That may not contain two dashes in a row."""
    return f"<!-- omni-pulumi preview-summary: {quote(shorten(stack, 200), safe='/').replace('--', '-%2D')} -->\n"


def _heading(preview: Preview, stack: str) -> str:
    counts = {name: sum(step.operation == name for step in preview.steps) for name in _OPERATIONS}
    facts = [f"{count} to {name}" for name, count in counts.items() if count]
    facts += [f"{len(preview.drifts)} changed outside Pulumi"] if preview.drifts else []
    mandatory = sum(violation.level == "mandatory" for violation in preview.violations)
    facts += [f"{mandatory} mandatory {'policy' if mandatory == 1 else 'policies'} violated"] if mandatory else []
    title = f"Preview of {code(shorten(stack, 200)) or 'a stack'}"
    if preview.failed or not preview.complete or preview.unlisted:
        title += " failed" if preview.failed else " is not shown completely" if preview.complete else " ended early"
        return f"### {title}{': ' if facts else ''}{', '.join(facts)}\n"
    if not facts:
        return f"{title}: no changes, {preview.unchanged} {'resource' if preview.unchanged == 1 else 'resources'}.\n"
    facts += [f"{preview.unchanged} unchanged"] if preview.unchanged else []
    return f"### {title}: {', '.join(facts)}\n"


def _graph(preview: Preview, graph: Graph, limit: int) -> str:
    """Return the collapsed flowchart, or a sentence when it is too large."""
    resources = len(graph.resources | preview.operations.keys())
    if not resources:
        return ""
    section = "\n" + details("Resources and their dependencies", block(flowchart(graph, preview.operations), "mermaid"))
    if len(graph.dependencies) + len(graph.children) > _ARROWS or len(section) > min(limit, _FLOWCHART):
        return f"\nThe graph of {resources} resources is too large for a comment. `omni-pulumi graph` writes it.\n"
    return section


class _Writer:
    """Write the parts of the comment without secrets."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        environment = (form for secret in environment_secrets() for form in quoted_forms(secret))
        self.secrets = sorted({*preview.secrets, *environment}, key=len, reverse=True)  # one may contain another
        self.drifts = {drift.urn: drift for drift in preview.drifts}
        self.secret_changes = {step.urn: step.secret_changes for step in preview.steps}
        urns = [step.urn for step in preview.steps] + [drift.urn for drift in preview.drifts]
        urns += [violation.urn for violation in preview.violations] + [urn for _, urn in preview.pending_policies]
        self.ambiguous = ambiguous_names(urns)

    def parts(self) -> Iterator[str]:
        """Yield the parts, some of which are empty."""
        preview = self.preview
        yield from self._errors()
        if preview.failed and not (preview.errors or preview.violations or preview.pending_policies):
            yield _NO_ERROR_MESSAGE
        if preview.unlisted:
            yield f"{unlisted(preview)}\n"
        if not preview.complete and not preview.errors:
            yield "The preview has no error message. The log of Pulumi has the reason.\n"
        steps = sorted(preview.steps, key=lambda step: (_rank(_OPERATIONS, step.operation), step.urn.short))
        rows = [line for step in steps for line in self._rows(step)]
        yield _table(("", "resource", "property", "before", "after"), rows, _LIMITS.changes)
        rows = [line for drift in sorted(preview.drifts, key=lambda d: d.urn.short) for line in self._drift(drift)]
        header = ("resource", "property", "in the state", "found", "becomes")
        yield _table(header, rows, _LIMITS.drifts, title="Changed outside Pulumi:")
        violations = sorted(preview.violations, key=lambda v: (_rank(_LEVELS, v.level), v.policy, v.urn.short))
        rows = [
            (
                self._strong(violation.level),
                code(violation.policy),
                self._name(violation.urn),
                prose(self._text(_without_description(violation.text), _TEXT)),
            )
            for violation in violations
        ]
        yield _table(("", "policy", "resource", "message"), rows, _LIMITS.violations, title="Policies:")
        yield self._pending_policies()
        yield _list("Notes:", (prose(self._text(note, _TEXT)) for note in preview.notes))

    def _errors(self) -> Iterator[str]:
        left = _LIMITS.errors
        for number, (urn, message) in enumerate(self.preview.errors):
            text = self._text(message, None)
            text = text if len(text) <= _ERROR else f"{text[: _ERROR // 4]}\n…\n{text[-_ERROR * 3 // 4 :]}"
            part = (f"{self._name(urn)}:\n\n" if urn and not urn.is_stack else "") + block(text)
            if len(part) > left:
                yield f"{len(self.preview.errors) - number} more errors are omitted. The log of Pulumi has them.\n"
                return
            left -= len(part)
            yield part

    def _rows(self, step: Step) -> Iterator[Sequence[str]]:
        """Yield one line for a created or deleted resource, and one for each changed value of another one."""
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
        secret = code(SECRET)
        rows += [[self._path(path), secret, f"{secret} *another value*"] for path in step.secret_changes]
        rows += [[self._path(path), secret, f"{secret} *perhaps another value*"] for path in step.maybe_changed]
        rows += [[self._path(path), "", "*differs*"] for path in step.provider_only_diffs]
        seen = [*(change.path for change in changes), *step.secret_changes, *step.provider_only_diffs]
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
        if drift.deleted_outside:
            yield [name, "", "", "*deleted*", "*created again*" if drift.created_again else ""]
        for change in drift.changes:
            becomes = "*deleted*" if drift.deleted else "*stays*"
            becomes = self._value(drift.planned[change.path]) if change.path in drift.planned else becomes
            yield [name, self._path(change.path), *self._both(change.before, change.after), becomes or "*removed*"]
            name = ""
        secret = code(SECRET)
        becomes = "*deleted*" if drift.deleted else "*stays*"
        for path in drift.secret_changes:
            is_updated = path in self.secret_changes.get(drift.urn, ())
            yield [name, self._path(path), secret, f"{secret} *another value*", secret if is_updated else becomes]
            name = ""
        for path in drift.provider_only_diffs:
            yield [name, self._path(path), "", "*differs*", becomes]
            name = ""
        if name and not drift.deleted_outside:
            yield [name, "", "", "*an output differs*", becomes]

    def _leaves(self, step: Step) -> str:
        """Return the values of a created or deleted resource, in one cell.

        States of version 0.1 contain ``adopt=False``, which says nothing.
        """
        sides = [(c.path, c.before if step.operation == "delete" else c.after) for c in step.changes]
        if step.urn.type.startswith(TYPES):
            sides = [side for side in sides if side != ("adopt", False)]
        shown = [f"{self._path(path)} {self._value(value)}" for path, value in sides[:_LEAVES]]
        more = [f"{len(sides) - _LEAVES} more"] if len(sides) > _LEAVES else []
        return ", ".join([*shown, *more])

    def _pending_policies(self) -> str:
        """Return the policies that cannot run yet, a line each."""
        pending: dict[str, list[Urn]] = {}
        for policy, urn in self.preview.pending_policies:
            pending.setdefault(policy, []).append(urn)
        resources = {
            policy: ", ".join("the stack" if urn.is_stack else self._name(urn) for urn in urns[:_NAMES])
            + (f", {len(urns) - _NAMES} more" if len(urns) > _NAMES else "")
            for policy, urns in sorted(pending.items())
        }
        title = "Policies that `pulumi up` will check, because values are not known yet:"
        return _list(title, (f"{code(policy)}: {urns}" for policy, urns in resources.items()))

    def _name(self, urn: Urn) -> str:
        return code(self._text(urn.long if urn.short in self.ambiguous else urn.short, _PATH))

    def _path(self, path: str) -> str:
        return code(self._text(path, _PATH))

    def _value(self, value: Value) -> str:
        if value is Special.UNKNOWN:
            return "*known after apply*"
        return code(self._text(show(value), _VALUE))

    def _both(self, before: Value, after: Value) -> tuple[str, str]:
        if isinstance(before, Special) or isinstance(after, Special):
            return self._value(before), self._value(after)
        first, second = self._text(show(before), None), self._text(show(after), None)
        remark = " *another value*" if first == second and not isinstance(before, Secret) else ""
        first, second = shorten_both(first, second, _VALUE)
        return code(first), code(second) + remark

    def _text(self, text: str, limit: int | None) -> str:
        """Return a text without secrets, shortened last: part of a secret could not be recognized."""
        for secret in self.secrets:
            text = text.replace(secret, SECRET)
        text = redact(text)
        return text if limit is None else shorten(text, limit)

    @staticmethod
    def _strong(word: str) -> str:
        return f"**{word}**" if word in {"replace", "delete", "mandatory"} else prose(word)


def _without_description(text: str) -> str:
    """Return the text of a violation. The engine puts the policy's description into a line before it."""
    first, _, rest = text.partition("\n")
    return rest.strip() or first


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], limit: int, *, title: str = "") -> str:
    if not rows:
        return ""
    lines = [f"{title}\n"] if title else []
    lines += [row(header), row(["---"] * len(header))]
    left = limit
    for number, cells in enumerate(rows):
        line = row(cells)
        left -= len(line) + 1
        if left < 0:
            omitted = f"{len(rows) - number} more lines are omitted, because the comment is full."
            return "\n".join([*lines, "", f"{omitted} The log of Pulumi has them.", ""])
        lines.append(line)
    return "\n".join([*lines, ""])


def _list(title: str, items: Iterable[str]) -> str:
    lines: list[str] = []
    left, omitted = _LIMITS.notes, 0
    for item in items:
        left -= len(item) + 3
        if left < 0:
            omitted += 1
        else:
            lines.append(f"- {item}")
    more = [f"- {omitted} more"] if omitted else []
    return "\n".join([f"{title}\n", *lines, *more, ""]) if lines or more else ""


def _rank(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
