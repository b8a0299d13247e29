"""The simulators of Omni and Lightdash in a process of their own, so that they do not slow down what is measured."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from multiprocessing.managers import BaseManager
from typing import NamedTuple, cast

from omni_pulumi.simulator import GENERATED, LightdashSimulator, OmniSimulator


class Requests(NamedTuple):
    """The number of requests, and how many of them got 429."""

    total: int
    refused: int


class Simulators:
    """Both services. All values can be pickled, because the methods are called from another process."""

    def __init__(self) -> None:
        """Start both services."""
        self._omni = OmniSimulator(dialect=GENERATED)
        self._lightdash = LightdashSimulator()
        self._omni.start()
        self._lightdash.start()

    def urls(self) -> tuple[str, str]:
        """Return the URLs of Omni and Lightdash."""
        return self._omni.url, self._lightdash.url

    def add_connections(self, number: int) -> list[str]:
        """Create connections in Omni and return their IDs."""
        return [self._omni.add_connection(f"connection {i}") for i in range(number)]

    def limit(self, requests_per_minute: int | None) -> None:
        """Limit the requests to Omni with one API key, beginning with a full limit."""
        self._omni.rate_limit(requests_per_minute)

    def take_requests(self) -> Requests:
        """Return the number of requests since the last call."""
        requests = [*self._omni.requests, *self._lightdash.requests]
        self._omni.clear_requests()
        self._lightdash.clear_requests()
        return Requests(len(requests), sum(request.status == 429 for request in requests))

    def schemas(self, connections: list[str]) -> dict[str, int]:
        """Return how many environments of some connections have each target schema."""
        return dict(Counter(e["target_schema"] for id_ in connections for e in self._omni.environments(id_)))

    def set_schema(self, connections: list[str], schema: str) -> None:
        """Change the target schema of all environments of some connections, as in the Omni UI."""
        for id_ in connections:
            for environment in self._omni.environments(id_):
                self._omni.edit_environment(environment["id"], target_schema=schema)

    def all_kinds(self) -> list[str]:
        """Return the text that the program with a resource of each kind sets in each object."""
        omni, lightdash = self._omni, self._lightdash
        configuration = omni.dbt_configuration(omni.connection_id)
        environments = omni.environments(omni.connection_id)
        return [
            *([configuration["branch"]] if configuration else []),
            *(each["target_schema"] for each in environments if not each["is_default_environment"]),
            *(value for each in omni.connection_environments() for value in each["user_attribute_values"]),
            *(each["connection"]["branch"] for each in lightdash.sources(lightdash.project_id)),
        ]

    def change_all_kinds(self, text: str) -> None:
        """Change the text of each object, as in the web UIs."""
        omni, lightdash = self._omni, self._lightdash
        omni.configure_dbt(omni.connection_id, branch=text)
        self.set_schema([omni.connection_id], text)
        for environment in omni.connection_environments():
            omni.edit_connection_environment(environment["id"], [text])
        for source in lightdash.sources(lightdash.project_id):
            lightdash.edit_source(source["id"], connection={**source["connection"], "branch": text})

    def reset(self) -> None:
        """Restore the initial data of both services."""
        self._omni.reset()
        self._lightdash.reset()


class _Manager(BaseManager):
    """Runs :class:`Simulators` in another process."""


_Manager.register("start_simulators", Simulators)


@contextlib.contextmanager
def simulators() -> Iterator[Simulators]:
    """Run the simulators in another process."""
    manager = _Manager(ctx=multiprocessing.get_context("spawn"))
    with manager:
        yield cast("Simulators", vars(_Manager)["start_simulators"](manager))
