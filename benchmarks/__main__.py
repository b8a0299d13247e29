"""`make bench`: measures this package side by side with other ways to manage the same dbt environments.

Everything runs on simulators in a process of their own. `make bench ARGS="--sizes 10 --pairs 1"` runs a part.
"""

from __future__ import annotations

import argparse
import compileall
import functools
import shlex
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import OPERATIONS, ROOT, Contender, Pulumi, create_template
from benchmarks.measure import Group, measure, measure_concurrent, measure_limited
from benchmarks.peer import OpenTofu, build_peer
from benchmarks.report import Result, bars, limit_bars, time_limits, write_into
from benchmarks.simulators import Simulators, simulators
from benchmarks.stacks import AllKinds, Environments
from omni_pulumi.simulator import LightdashSimulator, OmniSimulator
from tools.get_engine import EngineError, engine_bin_dir, format_version, pulumi_version

PAGE = ROOT / "docs" / "benchmarks.md"

FLOOR, TYPICAL, OURS = "floor", "typical", "omni-pulumi"

CONNECTIONS = (1, 20)

REQUESTS_PER_MINUTE = 60


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and return the exit status: 1 when something of this package fails, not when a bar fails."""
    options, measured = parse(arguments)
    result = Result(
        command=f'make bench ARGS="{shlex.join(measured)}"' if measured else "make bench",
        engine=format_version(pulumi_version(engine_bin_dir())),
    )
    for folder in ("omni_pulumi", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    with tempfile.TemporaryDirectory() as folder, simulators() as services:
        Benchmark(options, services, Path(folder), result).run()
    sys.stdout.write(result.to_markdown())
    if options.json:
        options.json.write_text(result.to_json(), encoding="utf-8")
    if options.write:
        write_into(PAGE, result.to_markdown())
    failed = [m for m in (*result.measurements, *result.limited) if m.failure and m.contender == OURS]
    return 1 if failed or (result.concurrent and result.concurrent.failures) else 0


def parse(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Return the options, and those that say what is measured."""
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", type=Path, help="a file for the measurements")
    output.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.relative_to(ROOT)}")
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=...", description="Measure this package side by side with others.", parents=[output]
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 400], help="numbers of environments")
    parser.add_argument("--pairs", type=int, default=7, help="rounds of floor and omni-pulumi where there is a bar")
    parser.add_argument("--operations", nargs="*", default=OPERATIONS, choices=OPERATIONS, help="default: all")
    parser.add_argument("--without", nargs="*", default=[], choices=["typical", "peer", "kinds", "limit"])
    parser.add_argument("--limited", type=int, default=225, help="environments of the stack under the rate limit")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME=VALUE", help="also with a variable for Pulumi"
    )
    return parser.parse_args(arguments), output.parse_known_args(arguments)[1]


class Benchmark:
    """Runs what the options name, and puts the measurements into a result."""

    def __init__(self, options: argparse.Namespace, services: Simulators, folder: Path, result: Result) -> None:
        """Prepare the contenders."""
        self._options = options
        self._services = services
        self._result = result
        self._template = folder / "template"
        create_template(self._template)
        omni, lightdash = services.urls()
        self._limited_env = {
            "OMNI_BASE_URL": omni,
            "OMNI_API_KEY": OmniSimulator.api_key,
            "LIGHTDASH_URL": lightdash,
            "LIGHTDASH_API_KEY": LightdashSimulator.api_key,
        }
        self._env = {**self._limited_env, "OMNI_REQUESTS_PER_MINUTE": "1000000"}
        self._binaries = None if "peer" in options.without else self._build_peer()

    def run(self) -> None:
        """Measure, and compare with the bars."""
        options, result = self._options, self._result
        layouts = [(size, connections) for size in options.sizes for connections in CONNECTIONS if connections <= size]
        groups = [self._environments(*layout) for layout in layouts]
        if "kinds" not in options.without:
            all_kinds = Pulumi(OURS, "all_kinds", self._template, self._env)
            groups.append(Group(functools.partial(AllKinds, self._services), [(all_kinds, 1)]))
        result.measurements = measure(self._services, groups, options.operations)
        names = [(Environments(self._services, *layout).name, *layout) for layout in layouts]
        result.bars = bars(result, names, OURS, FLOOR)
        if "limit" not in options.without:
            self._run_limited()

    def _run_limited(self) -> None:
        result = self._result
        ours = Pulumi(OURS, "ours", self._template, self._limited_env)
        contenders: list[Contender] = [ours, Pulumi(FLOOR, "floor", self._template, self._limited_env)]
        if self._binaries:
            limit = REQUESTS_PER_MINUTE / 60
            contenders.append(OpenTofu(self._binaries, self._limited_env, requests_per_second=limit))
        one = functools.partial(Environments, self._services, self._options.limited, 1)
        four = functools.partial(Environments, self._services, 30, 1)
        result.limited = measure_limited(self._services, one, contenders, REQUESTS_PER_MINUTE)
        result.concurrent = measure_concurrent(self._services, four, ours, REQUESTS_PER_MINUTE, 4)
        result.bars += limit_bars(result.limited[0], result.concurrent)

    def _environments(self, size: int, connections: int) -> Group:
        """Return who runs a number of environments.

        Floor and omni-pulumi run several times where there is a bar. The typical provider takes much longer, and runs
        once with one connection.
        """
        timed = time_limits(size, connections)
        pairs = self._options.pairs if timed else 1
        contenders: list[tuple[Contender, int]] = [
            (Pulumi(FLOOR, "floor", self._template, self._env), pairs),
            (Pulumi(OURS, "ours", self._template, self._env), pairs),
        ]
        for variant in self._options.variant:
            name, _, value = variant.partition("=")
            contenders.append((Pulumi(f"{OURS}, {variant}", "ours", self._template, {**self._env, name: value}), pairs))
        if "typical" not in self._options.without and connections == 1:
            contenders.append((Pulumi(TYPICAL, "typical", self._template, self._env), 1))
        if self._binaries:
            contenders.append((OpenTofu(self._binaries, self._env), 1))
        return Group(functools.partial(Environments, self._services, size, connections), contenders, timed)

    def _build_peer(self) -> Path | None:
        try:
            return build_peer()
        except EngineError as error:
            self._result.notes.append(f"{OpenTofu.name} {error}")
            return None


if __name__ == "__main__":
    sys.exit(main())
