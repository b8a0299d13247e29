"""The result of a benchmark: one table, the bars with pass or fail, and the machine, as Markdown and as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.contenders import OPERATIONS
from benchmarks.measure import Concurrent, Measurement

BEGIN, END = "<!-- `make bench` writes from here -->", "<!-- to here -->"


class Cell(NamedTuple):
    """The medians of all rounds of one contender in one operation.

    Attributes:
        seconds: wall time.
        requests: requests.
        memory: peak memory of the provider's process in MB.
        failure: why the operation failed.
    """

    seconds: float
    requests: int
    memory: float | None
    failure: str | None


class Bar(NamedTuple):
    """What a measurement must not exceed.

    Attributes:
        name: what is measured.
        limit: the most that it may be.
        figure: what it is.
        digits: how many decimals it has: none for a number of requests.
        processor: the same ratio of processor time, which other load on the machine does not change much.
    """

    name: str
    limit: float
    figure: float
    digits: int = 2
    processor: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure is within the limit."""
        return round(self.figure, self.digits) <= self.limit

    def format(self, value: float) -> str:
        """Return the limit or the figure as text."""
        return f"{value:.{self.digits}f}"


@dataclass
class Result:
    """All measurements of a run.

    Attributes:
        measurements: without a rate limit.
        limited: one stack under the rate limit.
        concurrent: several stacks at once under the rate limit.
        notes: why something is missing.
        command: how to repeat the run.
    """

    command: str
    engine: str
    measurements: list[Measurement] = field(default_factory=list)
    limited: list[Measurement] = field(default_factory=list)
    concurrent: Concurrent | None = None
    notes: list[str] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def cell(self, stack: str, operation: str, contender: str) -> Cell | None:
        """Return the medians of all rounds, ``None`` when nothing was measured."""
        found = [m for m in self.measurements if (m.stack, m.operation, m.contender) == (stack, operation, contender)]
        if not found:
            return None
        memory = [m.memory for m in found if m.memory is not None]
        return Cell(
            median(m.seconds for m in found),
            max(m.requests for m in found),
            median(memory) if memory else None,
            next((m.failure for m in found if m.failure), None),
        )

    def ratio(self, stack: str, operation: str, contender: str, base: str, value: str = "seconds") -> float | None:
        """Return the median of a value of one contender divided by that of another one in the same round."""
        values: dict[tuple[str, int], float] = {
            (m.contender, m.round): getattr(m, value)
            for m in self.measurements
            if (m.stack, m.operation) == (stack, operation) and getattr(m, value) is not None
        }
        rounds = {number for _, number in values}
        ratios = [
            values[contender, number] / values[base, number]
            for number in rounds
            if (contender, number) in values and values.get((base, number))
        ]
        return median(ratios) if ratios else None

    def rounds(self, stack: str) -> int:
        """Return the number of rounds of a stack."""
        return 1 + max(m.round for m in self.measurements if m.stack == stack)

    def to_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps({"machine": machine(self.engine), **dataclasses.asdict(self)}, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the tables."""
        lines = [machine(self.engine), "", f"`{self.command}`", ""]
        lines += [*self._bars(), *self._table(), *self._limit()]
        lines += [f"- {note}" for note in dict.fromkeys([*self.notes, *self._failures()])]
        return "\n".join(lines).rstrip() + "\n"

    def _bars(self) -> Iterable[str]:
        """Yield the bars, those of requests in one row if they hold."""
        if not self.bars:
            return
        held = [bar for bar in self.bars if bar.name.startswith("requests, ") and bar.holds]
        yield from ("| bar | limit | measured | processor time | |", "|---|---|---|---|---|")
        yield f"| requests, all stacks and operations below | {len(held)} bars | | | hold |"
        for bar in self.bars:
            if bar not in held:
                verdict = "holds" if bar.holds else "**does not hold**"
                processor = "" if bar.processor is None else bar.format(bar.processor)
                yield f"| {bar.name} | {bar.format(bar.limit)} | {bar.format(bar.figure)} | {processor} | {verdict} |"
        yield ""

    def _table(self) -> Iterable[str]:
        contenders = list(dict.fromkeys(m.contender for m in self.measurements))
        if not contenders:
            return
        yield f"| stack | operation | {' | '.join(contenders)} |"
        yield "|---" * (2 + len(contenders)) + "|"
        for stack in dict.fromkeys(m.stack for m in self.measurements):
            name = f"{stack} ({self.rounds(stack)} rounds)" if self.rounds(stack) > 1 else stack
            for operation in OPERATIONS:
                cells = (_cell(self.cell(stack, operation, contender)) for contender in contenders)
                yield f"| {name} | {operation} | {' | '.join(cells)} |"
                name = ""
        yield ""

    def _failures(self) -> Iterable[str]:
        return (f"{m.contender}: {m.failure}" for m in (*self.measurements, *self.limited) if m.failure)

    def _limit(self) -> Iterable[str]:
        if self.limited:
            yield from ("| 60 requests/min | requests | refused | time | least possible |", "|---|---|---|---|---|")
            for m in self.limited:
                yield _limit_row(f"{m.stack}: {m.contender}", m.requests, m.refused, m.seconds, m.failure)
        if self.concurrent:
            c = self.concurrent
            name = f"{c.stacks} stacks at once, {c.environments} environments each"
            yield _limit_row(name, c.requests, c.refused, c.seconds, next(iter(c.failures), None))
        if self.limited or self.concurrent:
            yield ""


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    memory = "" if cell.memory is None else f" / {cell.memory:.0f} MB"
    failed = "**fails** " if cell.failure else ""
    return f"{failed}{cell.seconds:.1f} s / {cell.requests}{memory}"


def _limit_row(name: str, requests: int, refused: int, seconds: float, failure: str | None) -> str:
    time = "fails" if failure else f"{seconds:.0f} s"
    return f"| {name} | {requests} | {refused} | {time} | {least_seconds(requests - refused)} s |"


def least_seconds(requests: int, per_minute: int = 60) -> int:
    """Return the least time in which a service with a sliding window accepts a number of requests."""
    return floor((max(requests, 1) - 1) / per_minute) * 60


def machine(engine: str) -> str:
    """Return the machine and the versions, in a line."""
    return (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, Pulumi {engine}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE) if info.exists() else []
    return names[0] if names else platform.machine()


def write_into(page: Path, markdown: str) -> None:
    """Replace the part of a page between the two marks."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{markdown}\n{END}{after}", encoding="utf-8")


def request_limit(environments: int, connections: int, operation: str) -> float | None:
    """Return the most requests that an operation may send, ``None`` when there is no bar."""
    pages = -(-environments // (100 * connections))
    limits: Mapping[str, float] = {
        "create": environments + 60 if environments == 400 and connections > 1 else environments + 2 * connections,
        "preview": 0,
        "no changes": 0,
        "update": 1.1 * environments + connections,
        "refresh": connections * pages,
        "destroy": environments,
    }
    return limits.get(operation)


def bars(result: Result, layouts: Sequence[tuple[str, int, int]], ours: str, floor_name: str) -> list[Bar]:
    """Return the bars of everything that was measured.

    Args:
        result: the measurements.
        layouts: name of the stack, environments and connections.
        ours: name of this package's contender.
        floor_name: name of the contender that it is compared with.
    """
    found: list[Bar] = []
    for name, environments, connections in layouts:
        for operation in OPERATIONS:
            cell, most = result.cell(name, operation, ours), request_limit(environments, connections, operation)
            if cell and most is not None:
                found.append(Bar(f"requests, {name}: {operation}", most, cell.requests, digits=0))
        for timed, limit in time_limits(environments, connections).items():
            if ratio := result.ratio(name, timed, ours, floor_name):
                processor = result.ratio(name, timed, ours, floor_name, "processor")
                found.append(Bar(f"time against the floor, {name}: {timed}", limit, ratio, processor=processor))
        ratios = [result.ratio(name, operation, ours, floor_name, "memory") or 0.0 for operation in OPERATIONS]
        if max(ratios):
            found.append(Bar(f"memory against the floor, {name}: worst operation", 1.3, max(ratios)))
    return found


def time_limits(environments: int, connections: int) -> dict[str, float]:
    """Return the bars of time against the floor by operation."""
    if environments <= 10:
        return dict.fromkeys(("create", "preview", "no changes", "update"), 1.15)
    if environments == 400 and connections > 1:
        return {"create": 1.1, "update": 1.1, "no changes": 1.25, "refresh": 1.25, "destroy": 1.25}
    return {}


def limit_bars(limited: Measurement | None, concurrent: Concurrent | None) -> list[Bar]:
    """Return the bars under the rate limit."""
    found: list[Bar] = []
    if limited:
        ratio = limited.seconds / max(1, least_seconds(limited.requests - limited.refused))
        found.append(Bar("under the limit, one stack: time against the least possible", 1.05, ratio))
    if concurrent:
        name = f"under the limit, {concurrent.stacks} stacks at once"
        found.append(Bar(f"{name}: requests", 180, concurrent.requests, digits=0))
        found.append(Bar(f"{name}: refused", 40, concurrent.refused, digits=0))
    return found
