"""Runs the contenders side by side: all of them run an operation, one after the other, before the next operation."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import Contender, Operation
from benchmarks.simulators import Simulators
from benchmarks.stacks import Stack

_SCHEMAS: dict[Operation, str] = {"create": "one", "preview": "one", "no changes": "one"}
_LATER_SCHEMA = "two"
"""Declared from the update on."""


@dataclass(frozen=True)
class Measurement:
    """One operation of one contender.

    Attributes:
        stack: name of the stack.
        operation: the operation.
        contender: name of the contender.
        round: number of the round. The measurements of one round are compared.
        seconds: wall time.
        processor: processor time of all processes of the command in seconds.
        requests: requests that the simulators received.
        refused: how many of them got 429.
        memory: peak memory of the provider's process in MB.
        failure: why the operation failed.
    """

    stack: str
    operation: str
    contender: str
    round: int
    seconds: float
    processor: float
    requests: int
    refused: int
    memory: float | None
    failure: str | None


class Group(NamedTuple):
    """A stack, and who runs it how often.

    Attributes:
        new_stack: creates the objects that the stack needs in the simulators.
        contenders: the contenders, and in how many rounds each takes part.
        repeated: the operations of all rounds. The first round runs the others too.
    """

    new_stack: Callable[[], Stack]
    contenders: Sequence[tuple[Contender, int]]
    repeated: Collection[str] = ()

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return max(rounds for _, rounds in self.contenders)

    def in_round(self, number: int) -> list[Contender]:
        """Return the contenders of a round. Every other round runs them in reverse order."""
        contenders = [contender for contender, rounds in self.contenders if number < rounds]
        return contenders[::-1] if number % 2 else contenders

    def operations(self, number: int, operations: Iterable[Operation]) -> list[Operation]:
        """Return which operations run in a round."""
        return [operation for operation in operations if number == 0 or operation in self.repeated]


class Progress:
    """A line on stderr about what is running: it is replaced in a terminal, and a new one otherwise."""

    def __init__(self, total: int) -> None:
        """Begin with nothing done."""
        self._total = total
        self._done = 0
        self._started = time.monotonic()

    def show(self, text: str) -> None:
        """Show what runs next."""
        self._done += 1
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        line = f"[{self._done}/{self._total}] {minutes}:{seconds:02} {text}"
        sys.stderr.write(f"\r\033[K{line}" if sys.stderr.isatty() else f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        sys.stderr.write("\n" if sys.stderr.isatty() else "")


def measure(simulators: Simulators, groups: Sequence[Group], operations: Sequence[Operation]) -> list[Measurement]:
    """Run operations of all groups."""
    turns = (
        len(group.in_round(number)) * len(group.operations(number, operations))
        for group in groups
        for number in range(group.rounds)
    )
    progress = Progress(sum(turns))
    measurements: list[Measurement] = []
    for group in groups:
        for number in range(group.rounds):
            simulators.reset()
            with tempfile.TemporaryDirectory() as folder:
                measurements += _round(simulators, group, operations, number, Path(folder), progress)
    progress.end()
    return measurements


def _round(
    simulators: Simulators,
    group: Group,
    operations: Sequence[Operation],
    number: int,
    folder: Path,
    progress: Progress,
) -> Iterator[Measurement]:
    entries = [(each, group.new_stack(), folder / str(i)) for i, each in enumerate(group.in_round(number))]
    for contender, _, own_folder in entries:
        contender.prepare(own_folder)
    for operation, (contender, stack, own_folder) in itertools.product(group.operations(number, operations), entries):
        progress.show(f"{stack.name}, round {number + 1}, {operation}: {contender.name}")
        yield run_operation(simulators, contender, stack, own_folder, operation, number)


def run_operation(
    simulators: Simulators, contender: Contender, stack: Stack, folder: Path, operation: Operation, number: int
) -> Measurement:
    """Run one operation, and look whether it has done its job."""
    schema = _SCHEMAS.get(operation, _LATER_SCHEMA)
    contender.declare(folder, stack.resources(schema))
    if operation == "repair":
        stack.drift()
    simulators.take_requests()
    finished = contender.run(folder, operation)
    requests = simulators.take_requests()
    failure = stack.failure(operation, schema)
    if finished.status:
        if not requests.refused:
            sys.stderr.write(f"\n{finished.output}\n")
        refused = f": {requests.refused} requests got 429" if requests.refused else ""
        failure = f"{operation} ends with status {finished.status}{refused}"
    return Measurement(
        stack=stack.name,
        operation=operation,
        contender=contender.name,
        round=number,
        seconds=finished.seconds,
        processor=finished.processor,
        requests=requests.total,
        refused=requests.refused,
        memory=finished.memory,
        failure=failure,
    )


def measure_limited(
    simulators: Simulators, new_stack: Callable[[], Stack], contenders: Sequence[Contender], requests_per_minute: int
) -> list[Measurement]:
    """Create one stack under the rate limit of the key, with one contender after the other."""
    measurements: list[Measurement] = []
    progress = Progress(len(contenders))
    for contender in contenders:
        stack = new_stack()
        progress.show(f"{requests_per_minute} requests/min, {stack.name}, create: {contender.name}")
        with tempfile.TemporaryDirectory() as folder:
            own_folder = Path(folder) / "stack"
            contender.prepare(own_folder)
            simulators.limit(requests_per_minute)
            measurements.append(run_operation(simulators, contender, stack, own_folder, "create", 0))
            simulators.limit(None)
    progress.end()
    return measurements


class Concurrent(NamedTuple):
    """Several stacks at once on one key.

    Attributes:
        stacks: the number of stacks.
        environments: the number of environments of each.
        seconds: until the last one ended.
        requests: all requests.
        refused: how many of them got 429.
        failures: of the stacks.
    """

    stacks: int
    environments: int
    seconds: float
    requests: int
    refused: int
    failures: list[str]


def measure_concurrent(
    simulators: Simulators,
    new_stack: Callable[[], Stack],
    contender: Contender,
    requests_per_minute: int,
    stacks: int,
) -> Concurrent:
    """Create several stacks at once with one key, each with a connection of its own."""
    progress = Progress(1)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(stacks) as threads:
        entries = [(new_stack(), Path(folder) / str(number)) for number in range(stacks)]
        progress.show(f"{requests_per_minute} requests/min, {stacks} stacks at once, create: {contender.name}")
        for stack, own_folder in entries:
            contender.prepare(own_folder)
            contender.declare(own_folder, stack.resources("one"))
        simulators.take_requests()
        simulators.limit(requests_per_minute)
        started = time.monotonic()
        finished = [*threads.map(lambda entry: contender.run(entry[1], "create"), entries)]
        seconds = time.monotonic() - started
        simulators.limit(None)
        requests = simulators.take_requests()
        failures = [failure for stack, _ in entries if (failure := stack.failure("create", "one"))]
        failures += [each.output for each in finished if each.status]
    progress.end()
    return Concurrent(stacks, len(entries[0][0].resources("one")), seconds, *requests, failures)
