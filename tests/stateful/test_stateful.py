"""Stateful tests: random programs, changes outside Pulumi, and faults of the services.

A sequence is the history of one stack with all types of resources. Faults, changes outside Pulumi and a kill may
disturb each `pulumi` command. The model checks every step. After each command the faults stop, and `up --refresh` runs
until the services have what the program declares.

``make soak`` runs many sequences from a seed. ``make test`` runs a few, which are always the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from omni_pulumi.process import PROCESS
from omni_pulumi.simulator import GENERATED, PAGES, LightdashSimulator, OmniSimulator, faults
from omni_pulumi.simulator.forms import StoredForm, as_sent, normal_form
from tests.stateful.kind import Services
from tests.stateful.kinds import KINDS
from tests.stateful.model import Log, Model
from tests.stateful.outside import Clock
from tests.stateful.programs import ADOPT, DECLARATIONS, DUPLICATES, NAMES, kind_of

pytestmark = pytest.mark.slow

DIALECTS = {
    "pages": PAGES,
    "pages, secrets by a missing value": replace(PAGES, kept_value="missing"),
    "pages, keeps variables, secrets by null": replace(PAGES, omitted_variables="kept", kept_value="null"),
    "generated": GENERATED,
    "generated, secrets by null": replace(GENERATED, kept_value="null"),
    "generated, reads one connection, older attribute": replace(
        GENERATED, connection_get=True, connection_update="userAttributeNameForConnectionEnvironments"
    ),
    "generated, stores other forms": replace(GENERATED, stored_form=normal_form),
    "pages, stores other forms": replace(PAGES, stored_form=normal_form),
    "generated, keeps variables": replace(GENERATED, omitted_variables="kept", kept_value="missing"),
}

figures: Counter[str] = Counter()
"""How often interesting cases happened, over all sequences."""

EXPECTED = {
    "adopted",
    "changes outside",
    "duplicates removed",
    "errors shown",
    "kills",
    "names of others refused",
    "other forms named",
    "placeholders not sent",
    "renamed",
    "shared objects refused",
    "undeclared parts refused",
    "unmanaged variables kept",
    *(f"unknown parts of {kind.name} kept" for kind in KINDS),
}
"""Cases that 500 sequences contain. If one is missing, the strategies no longer produce it."""


# Faults: a service may fail any request of a command, before or after applying it.

where = st.fixed_dictionaries(
    {
        "method": st.sampled_from([None, "GET", "POST", "PUT", "PATCH", "DELETE"]),
        "after": st.integers(0, 4),
    }
)
"""Which requests fail: their method, and how many of them succeed first."""

processed = st.booleans()
times = st.integers(1, 3)
_COMMON_FIELDS = ("id", "name", "data", "records", "pageInfo", "hasNextPage", "results", "success")
fields = st.sampled_from([*_COMMON_FIELDS, *(field for kind in KINDS for field in kind.response_fields)])
_VERIFIED_PATHS = "^" + "".join(f"(?!.*{path})" for kind in KINDS for path in kind.unverified_paths)
"""Paths for which the providers verify a 404."""

FAULTS = st.one_of(
    st.builds(
        lambda where, processed, times, code, body: faults.Status(
            code, processed=processed, times=times, body=body, **where
        ),
        where,
        processed,
        times,
        st.sampled_from([500, 502, 503, 504]),
        st.sampled_from(["vendor", "html", "text", "empty"]),
    ),
    st.builds(
        lambda where, times, code, body: faults.Status(code, processed=False, times=times, body=body, **where),
        where,
        times,
        st.sampled_from([401, 403]),
        st.sampled_from(["vendor", "html", "empty"]),
    ),
    st.builds(
        lambda where, times, body: faults.Status(
            404, path=_VERIFIED_PATHS, processed=False, times=times, body=body, **where
        ),
        where,
        times,
        st.sampled_from(["vendor", "html", "empty"]),
    ),
    st.builds(
        lambda where, times, after: faults.Status(429, processed=False, times=times, retry_after=after, **where),
        where,
        st.integers(1, 12),
        st.sampled_from([None, "0", "1"]),
    ),
    st.builds(
        lambda after, code: faults.expired_token(after=after, code=code), st.integers(0, 8), st.sampled_from([401, 403])
    ),
    st.builds(
        lambda where, processed, times: faults.Reset(processed=processed, times=times, **where), where, processed, times
    ),
    st.builds(
        lambda where, processed, times: faults.Close(processed=processed, times=times, **where), where, processed, times
    ),
    st.builds(
        lambda where, processed, times: faults.proxy_page(processed=processed, times=times, **where),
        where,
        processed,
        times,
    ),
    st.builds(lambda where, times: faults.Cut(times=times, **where), where, times),
    st.builds(lambda where, times: faults.Malformed(times=times, **where), where, times),
    st.builds(lambda where, times: faults.Empty(times=times, **where), where, times),
    st.builds(lambda where, times: faults.WrongType(times=times, **where), where, times),
    st.builds(lambda where, times, name: faults.Missing(name, times=times, **where), where, times, fields),
    st.builds(lambda where, times: faults.Extra("surprise", times=times, **where), where, times),
    st.builds(lambda after, times: faults.Stale(after=after, times=times), st.integers(0, 3), st.integers(1, 2)),
)


def _unique_key(fault: faults.Fault) -> object:
    """Return a key that two stale faults share, so that a command has one of them at most.

    Two of them would make more reads stale than a provider repeats.
    """
    return faults.Stale if isinstance(fault, faults.Stale) else id(fault)


MEANWHILE = st.dictionaries(
    st.integers(-3, 6), st.tuples(st.integers(0, 9999), st.sampled_from([0.0, 3.0, 6.0])), max_size=3
)
"""Changes outside Pulumi, by step: the number that selects the change, and the seconds that pass after it."""


class Stateful(RuleBasedStateMachine):
    """The history of one stack."""

    services: tuple[dict[str, OmniSimulator], dict[StoredForm, LightdashSimulator]]
    log: Log
    clock: Clock
    ids: random.Random
    """Draws the IDs of new objects. Omni sorts objects of the same name by ID."""

    @initialize(
        dialect=st.sampled_from(sorted(DIALECTS)),
        names=st.sets(NAMES, min_size=2, max_size=6),
        ids=st.randoms(use_true_random=True),
        data=st.data(),
    )
    def begin(self, dialect: str, names: set[str], ids: random.Random, data: st.DataObject) -> None:
        """Start with an empty stack and a program."""
        Stateful.ids = ids
        omnis, lightdashes = self.services
        lightdash = lightdashes[DIALECTS[dialect].stored_form]
        self.model = Model(Services(omnis[dialect], lightdash), self.log, self.clock, random.Random(ids.random()))  # noqa: S311
        figures["sequences"] += 1
        if figures["sequences"] % 500 == 0:
            print(f"{figures['sequences']} sequences", flush=True)  # noqa: T201 - the progress of a soak
        for name in sorted(names):
            self.declare(name, data)

    @rule(
        declared=st.sets(NAMES, max_size=2),
        edited=st.lists(st.integers(0, 99), min_size=1, max_size=3),
        dropped=st.sets(st.sampled_from(sorted(DECLARATIONS)), max_size=1),
        renamed=st.sets(st.sampled_from(sorted(DECLARATIONS)), max_size=2),
        shared_objects=st.sets(st.sampled_from(sorted(DUPLICATES)), max_size=1),
        changes=st.lists(st.integers(0, 9999), min_size=1, max_size=6),
        meanwhile=MEANWHILE,
        killed_at=st.none() | st.integers(0, 12),
        omni=st.lists(FAULTS, max_size=3, unique_by=_unique_key),
        lightdash=st.lists(FAULTS, max_size=2, unique_by=_unique_key),
        refresh=st.booleans(),
        data=st.data(),
    )
    def run(
        self,
        declared: set[str],
        edited: list[int],
        dropped: set[str],
        renamed: set[str],
        shared_objects: set[str],
        changes: list[int],
        meanwhile: dict[int, tuple[int, float]],
        killed_at: int | None,
        omni: list[faults.Fault],
        lightdash: list[faults.Fault],
        refresh: bool,  # noqa: FBT001 - hypothesis passes it by name
        data: st.DataObject,
    ) -> None:
        """Change the program and the services, run `up` with faults, and run it again without faults."""
        model = self.model
        managed = sorted(name for name in model.program if name in model.stack.resources)
        edits = [managed[number % len(managed)] for number in edited if managed]
        for name in sorted({*declared, *edits}):
            self.declare(name, data)
        for name in sorted(dropped):
            model.drop(name)
        figures["renamed"] += sum(model.rename(name) for name in sorted(renamed))
        figures["shared objects"] += sum(model.share(name, DUPLICATES[name]) for name in shared_objects)
        for number, changed in zip(changes, [*edits, *[None] * len(changes)], strict=False):
            self.change_outside(number, changed)
        model.services.omni.inject(*omni)
        model.services.lightdash.inject(*lightdash)
        model.run(
            refresh=refresh,
            meanwhile={
                step: partial(self.change_outside, number, next(iter(edits), None), seconds)
                for step, (number, seconds) in meanwhile.items()
            },
            killed_at=killed_at,
            injected=[*omni, *lightdash],
        )
        model.services.omni.clear_faults()
        model.services.lightdash.clear_faults()
        figures.update(f"fault {type(fault).__name__}" for fault in (*omni, *lightdash))
        figures.update({"runs": 1, "errors shown": len(model.failures)})
        model.converge()

    def change_outside(self, number: int, name: str | None, seconds: float = 0) -> None:
        """Make one change outside Pulumi, to a resource's object if possible, and advance the clock."""
        note(f"outside Pulumi: {self.model.change_outside(number, name)}, then {seconds} s")
        self.clock.now += seconds
        figures["changes outside"] += 1

    def declare(self, name: str, data: st.DataObject) -> None:
        """Put a resource into the program, or change it."""
        properties = data.draw(DECLARATIONS[name], label=name)
        self.model.declare(
            name,
            properties,
            kept=data.draw(st.frozensets(st.sampled_from([*kind_of(name).kept, "ignored"])), label="kept"),
            adopt=data.draw(ADOPT, label="adopt"),
            ignored=data.draw(kind_of(name).ignored, label="ignored"),
        )

    def teardown(self) -> None:
        """Remove all resources from the program, so that `up` deletes what the stack created."""
        if hasattr(self, "model"):
            self.model.program.clear()
            self.model.converge()
            figures["requests"] += self.model.services.request_count()
            figures.update(self.model.figures)


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[dict[str, OmniSimulator], dict[StoredForm, LightdashSimulator]]]:
    """An Omni for each dialect, and a Lightdash for each form in which it may store texts."""
    omnis = {name: OmniSimulator(dialect=dialect) for name, dialect in DIALECTS.items()}
    lightdashes: dict[StoredForm, LightdashSimulator] = {
        form: LightdashSimulator(stored_form=form) for form in (as_sent, normal_form)
    }
    with contextlib.ExitStack() as running:
        for omni in omnis.values():
            running.enter_context(omni)
        for lightdash in lightdashes.values():
            running.enter_context(lightdash)
        running.callback(PROCESS.reset)
        yield omnis, lightdashes


def test_stateful(
    services: tuple[dict[str, OmniSimulator], dict[StoredForm, LightdashSimulator]],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without faults the services have exactly what the program declares.

    No object is lost or created twice, nothing outside the program is changed, and no secret is shown.
    """
    monkeypatch.setenv("OMNI_PULUMI_LOG", "debug")
    Stateful.services, Stateful.log, Stateful.clock = services, Log(), Clock()
    monkeypatch.setattr(PROCESS, "clock", Stateful.clock)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=Stateful.ids.getrandbits(128), version=4))
    logger = logging.getLogger("omni_pulumi")
    monkeypatch.setattr(logger, "handlers", [Stateful.log])
    monkeypatch.setattr(logger, "propagate", False)
    sequences = request.config.getoption("--sequences")
    with capsys.disabled():
        run_state_machine_as_test(
            Stateful,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=4,
                derandomize=request.config.getoption("--hypothesis-seed") is None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
        shown = {"seed": request.config.getoption("--hypothesis-seed"), **dict(sorted(figures.items()))}
        print(f"\n{json.dumps(shown, indent=1)}")  # noqa: T201 - the figures are the result
    assert figures["sequences"] >= sequences
    if sequences >= 500:
        assert {case for case in EXPECTED if not figures[case]} == set()
