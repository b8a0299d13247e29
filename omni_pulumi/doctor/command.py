"""The command ``omni-pulumi doctor``: runs the checks, and shows their results."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from omni_pulumi.doctor import report
from omni_pulumi.doctor.checks import Check, Checks, Traffic
from omni_pulumi.doctor.lightdash import LightdashChecks
from omni_pulumi.doctor.omni import OmniChecks
from omni_pulumi.errors import ConfigurationError
from omni_pulumi.process import PROCESS
from omni_pulumi.selection import Selection, ServiceName
from omni_pulumi.settings import Config, Service
from omni_pulumi.stack_settings import configuration

SUCCESS, PROBLEM, FAILURE = 0, 1, 2
"""Exit statuses."""

_WIDEST: Final = 60
"""Characters of the widest column of titles. The result of a longer title follows it."""

_CHECKS: Mapping[ServiceName, type[Checks[Any]]] = {
    checks.service_name: checks for checks in (OmniChecks, LightdashChecks)
}


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        service: the only service to check, ``None`` for each one that is configured.
        selection: connections and projects to check, and the profile.
        stack: stack whose configuration has the settings, ``None`` for the environment.
        as_json: whether stdout gets JSON.
        as_report: whether stdout gets the report.
    """

    service: ServiceName | None
    selection: Selection
    stack: str | None = None
    as_json: bool = False
    as_report: bool = False


def doctor(options: Options) -> int:
    """Run the checks, write their results to stdout, and return the exit status."""
    try:
        config = configuration(options.stack)
        services = _services(options, config.get)
    except ConfigurationError as error:
        sys.stderr.write(f"omni-pulumi doctor: {error}\n")
        return FAILURE
    titles: list[str] = []
    checks: list[Check] = []
    traffic: dict[str, Traffic] = {name: Traffic() for name in services}
    with _quiet_log():
        for name in services:
            title, results = _run(name, options, config, traffic[name])
            titles.append(title)
            checks += results
    if options.as_report:
        content = report.to_json({name: each.exchanges for name, each in traffic.items()}, checks)
        text = json.dumps(content, indent=2) + "\n"
    elif options.as_json:
        text = json.dumps(_to_json(checks), indent=2) + "\n"
    else:
        text = _to_text(services, titles, checks)
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()
    return PROBLEM if any(each.status == "problem" for each in checks) else SUCCESS


def _services(options: Options, config: Config) -> list[ServiceName]:
    """Return the services to check: each one that is configured, or both when none is.

    Raises:
        ConfigurationError: no service has what is selected.
    """
    selection = options.selection
    wanted = selection.services(options.service)
    if not wanted:
        raise ConfigurationError(
            "--connection selects from Omni, and --project from Lightdash.", settings=("--connection", "--project")
        )
    return [name for name in wanted if _has_url(_CHECKS[name].service, config, selection.profile)] or wanted


def _has_url(service: Service, config: Config, profile: str | None) -> bool:
    try:
        return service.url(config, profile) is not None
    except ConfigurationError:
        return True


def _run(name: ServiceName, options: Options, config: Mapping[str, str], traffic: Traffic) -> tuple[str, list[Check]]:
    """Return the title of an instance and the results of its checks."""
    checks, service, profile = _CHECKS[name], _CHECKS[name].service, options.selection.profile
    ineffective = [
        Check(name, "settings", "warning", f"{setting} has no effect", advice)
        for setting, advice in service.ineffective(config, profile).items()
    ]
    try:
        instance = service.instance(config.get, profile)
    except ConfigurationError as error:
        result = f"missing or malformed: {', '.join(error.settings)}"
        return service.name, [*ineffective, Check(name, "settings", "problem", result, str(error))]
    without_retries = replace(instance, total_timeout=0)
    run = checks(without_retries, options.selection, traffic, for_report=options.as_report)
    return f"{service.name} at {instance.url}", [*ineffective, *run.run()]


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Keep warnings from stderr, which the checks repeat. ``OMNI_PULUMI_LOG=debug`` shows each request."""
    if os.environ.get("OMNI_PULUMI_LOG") == "debug":
        PROCESS.log.install()
        yield
        return
    logger, handler = logging.getLogger("omni_pulumi"), logging.NullHandler()
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


def _to_text(services: Sequence[ServiceName], titles: Sequence[str], checks: Sequence[Check]) -> str:
    width = min(max(len(each.title) for each in checks), _WIDEST)
    lines: list[str] = []
    for service, title in zip(services, titles, strict=True):
        lines.append(title)
        for each in checks:
            if each.service == service:
                lines.append(f"  {each.status:<7}  {each.title:<{width}}  {each.result}")
                lines += [f"  {'':<7}  {'':<{width}}  {each.advice}"] if each.advice else []
        lines.append("")
    problems = sum(each.status == "problem" for each in checks)
    warnings = sum(each.status == "warning" for each in checks)
    return "\n".join([*lines, f"Problems: {problems}, warnings: {warnings}", ""])


def _to_json(checks: Sequence[Check]) -> dict[str, Any]:
    results = [
        {
            "service": each.service,
            "check": each.name,
            "subject": None if each.subject is None else each.subject.id,
            "status": each.status,
            "result": each.result,
            "advice": each.advice,
        }
        for each in checks
    ]
    return {"checks": results, "problems": sum(each.status == "problem" for each in checks)}
