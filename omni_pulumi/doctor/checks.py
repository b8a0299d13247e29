"""The result of a check, and what the checks of both services have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, Protocol, TypeVar

from omni_pulumi import errors
from omni_pulumi.api.exchange import Exchange, Observer
from omni_pulumi.api.instance import Instance
from omni_pulumi.doctor import network
from omni_pulumi.selection import Parent, Selection, ServiceName, missing_parents
from omni_pulumi.settings import Service

Status = Literal["ok", "info", "warning", "problem"]

MOST_PARENTS: Final = 10
"""Connections or projects that are checked when none is named, so that the command sends few requests."""


@dataclass(frozen=True)
class Check:
    """The result of a check. Its texts contain no secret.

    Attributes:
        service: the service.
        name: what is checked.
        status: ``problem`` when a program would fail, ``warning`` when a part of it may.
        result: what was found.
        advice: what to do. Every problem and every warning has one.
        subject: the connection or project that is checked, ``None`` for the whole instance.
    """

    service: ServiceName
    name: str
    status: Status
    result: str
    advice: str = ""
    subject: Parent | None = None

    @property
    def title(self) -> str:
        """What is checked, in the table."""
        return self.name if self.subject is None else f"{self.subject}: {self.name}"


@dataclass
class Traffic:
    """The requests that were sent and answered.

    Attributes:
        exchanges: the requests with their responses.
    """

    exchanges: list[Exchange] = field(default_factory=list)

    def rate_limit_headers(self) -> dict[str, str]:
        """Return the headers of the last responses that are about a rate limit."""
        return {name: value for each in self.exchanges for name, value in each.rate_limit_headers.items()}


class UnusableInstanceError(Exception):
    """All further requests would fail as the last one did.

    Attributes:
        check: the problem of the last request.
    """

    def __init__(self, check: Check) -> None:
        super().__init__(check.result)
        self.check = check


class Client(Protocol):
    """A client whose responses can be observed."""

    def close(self) -> None:
        """Close the connections."""

    def observe(self, observer: Observer) -> None:
        """Call a function with each response."""


C = TypeVar("C", bound=Client)


class Checks(ABC, Generic[C]):
    """The checks of one instance.

    Attributes:
        service: the service.
        service_name: its name on the command line.
        word: what the service calls the parents of its objects: connection or project.
    """

    service: Service
    service_name: ServiceName
    word: str

    def __init__(self, instance: Instance, selection: Selection, traffic: Traffic, *, for_report: bool) -> None:
        """Prepare the checks. No request is sent yet.

        Args:
            instance: the instance.
            selection: connections or projects to check.
            traffic: gets the responses.
            for_report: whether endpoints are read that only matter for a report.
        """
        self._instance, self._selection = instance, selection
        self._traffic, self._for_report = traffic, for_report
        key, variable = (name(selection.profile, "apiKey") for name in (self.service.key, self.service.variable))
        self._key_setting = f"{key} or {variable}"

    def run(self) -> Iterator[Check]:
        """Yield the results. A failure of the first request ends the checks, and so does one of the whole instance."""
        yield self._check("network", "info", network.settings(self._instance.url))
        try:
            with closing(self._connect()) as client:
                client.observe(self._traffic.exchanges.append)
                yield from self._run(client)
        except UnusableInstanceError as error:
            yield error.check
        except errors.RateLimitError as error:
            yield self._failure(error, "rate limit")
            return
        except errors.ConfigurationError as error:
            yield self._failure(error, "network")
        except errors.Error as error:
            yield from self._not_accepted(error)
        yield self._rate_limit()

    def _accepted(self) -> Iterator[Check]:
        """Yield what the first successful response means."""
        yield self._reached()
        yield self._check("key", "ok", f"{self.service.name} accepts it")

    def _not_accepted(self, error: errors.Error) -> Iterator[Check]:
        """Yield what the error of the first request means: the service is not reached, or refuses the key."""
        explained = self._explain(error)
        if explained.is_about_key:
            yield self._reached()
        name = "key" if explained.is_about_key else "reached"
        yield self._check(name, "problem", explained.result, explained.advice)

    def _reached(self) -> Check:
        return self._check("reached", "ok", f"{self.service.name} answers")

    @property
    @abstractmethod
    def _wanted(self) -> tuple[str, ...]:
        """Names or IDs of the connections or projects to check, the first ones when empty."""

    @abstractmethod
    def _connect(self) -> C:
        """Return a client."""

    @abstractmethod
    def _run(self, client: C) -> Iterator[Check]:
        """Yield the results of all checks that send requests."""

    def _check(self, name: str, status: Status, result: str, advice: str = "", subject: Parent | None = None) -> Check:
        return Check(self.service_name, name, status, result, advice, subject)

    def _failure(self, error: errors.Error, name: str, subject: Parent | None = None) -> Check:
        """Return the problem that an error means."""
        explained = self._explain(error)
        return self._check(name, "problem", explained.result, explained.advice, subject)

    def _explain(self, error: errors.Error) -> network.Explanation:
        return network.explain(error, self.service.name, self._instance, key_setting=self._key_setting)

    def _problem(self, error: errors.Error, name: str, subject: Parent | None = None) -> Check:
        """Return the problem that the error of one endpoint means, after the first request succeeded.

        Raises:
            errors.RateLimitError: the service refuses all requests for a while.
            UnusableInstanceError: all further requests would fail in the same way.
        """
        self._require_usable_instance(error, name, subject)
        return self._failure(error, name, subject)

    def _require_usable_instance(self, error: errors.Error, name: str, subject: Parent | None = None) -> None:
        """Raise the errors of :meth:`_problem`. A lost response is an error of one endpoint, and raises nothing."""
        if isinstance(error, errors.RateLimitError):
            raise error
        if error.scope == "instance":
            raise UnusableInstanceError(self._failure(error, name, subject))

    def _missing(self, parents: list[Parent]) -> Iterator[Check]:
        """Yield a problem for each connection or project that is named and that the key does not see."""
        for sentence in missing_parents(parents, self._wanted, word=self.word):
            advice = f"Correct the name or ID, or give the owner of the key access to the {self.word}."
            yield self._check(f"{self.word}s", "problem", sentence.rstrip("."), advice)

    def _chosen(self, parents: list[Parent]) -> list[Parent]:
        """Return the connections or projects to check: those that are named, otherwise the first ones."""
        if self._wanted:
            return [parent for parent in parents if any(map(parent.is_named, self._wanted))]
        return sorted(parents, key=lambda parent: (parent.name.casefold(), parent.id))[:MOST_PARENTS]

    def _unchecked(self, parents: list[Parent]) -> Iterator[Check]:
        """Yield how many connections or projects are not checked, unless some are named."""
        rest = len(parents) - MOST_PARENTS
        if rest > 0 and not self._wanted:
            result = f"{rest} more are not checked; --{self.word} NAME checks one"
            yield self._check(f"{self.word}s", "info", result)

    @property
    def _refusal(self) -> Status:
        """Status of what the key may not do on a connection or project: a problem if that is named."""
        return "problem" if self._wanted else "warning"

    def _rate_limit(self) -> Check:
        limit = self._instance.requests_per_minute
        here = "no limit on this side" if limit is None else f"at most {limit} requests a minute from this process"
        found = self._traffic.rate_limit_headers()
        headers = ", ".join(f"{name}: {value}" for name, value in sorted(found.items())) or "no rate limit headers"
        result = f"{here}; {len(self._traffic.exchanges)} sent now; {self.service.name} sent {headers}"
        documented = self.service.requests_per_minute
        if documented is not None and (limit is None or limit > documented):
            setting = self.service.variable(self._selection.profile, "requestsPerMinute")
            advice = (
                f"{self.service.name} allows {documented} requests a minute for each key, unless it granted more. "
                f"Lower {setting} if requests are answered with 429."
            )
            return self._check("rate limit", "warning", result, advice)
        return self._check("rate limit", "ok", result)
