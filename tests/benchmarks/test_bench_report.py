"""The table and the bars of ``make bench``."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Concurrent, Measurement
from benchmarks.report import BEGIN, END, Result, bars, least_seconds, limit_bars, write_into

STACK = "10 environments, 1 connection"


def measurement(
    contender: str, number: int, seconds: float, *, requests: int = 0, failure: str | None = None
) -> Measurement:
    """Return a measurement of a preview."""
    return Measurement(STACK, "preview", contender, number, seconds, seconds, requests, 0, 50.0, failure)


def result(*measurements: Measurement) -> Result:
    """Return a result with measurements."""
    return Result("make bench", "3.220.0", [*measurements])


def test_ratio_is_the_median_of_pairs() -> None:
    """The ratio is the median of the ratios of the rounds, and a round without both contenders does not count."""
    pairs = [(1.0, 1.1), (4.0, 4.8), (1.0, 3.0)]
    measurements = [
        measurement(name, number, seconds)
        for number, pair in enumerate(pairs)
        for name, seconds in zip(("floor", "ours"), pair, strict=True)
    ]
    assert result(*measurements, measurement("ours", 3, 100)).ratio(STACK, "preview", "ours", "floor") == 1.2


@pytest.mark.parametrize(("seconds", "requests", "failing"), [(1.15, 0, []), (1.16, 0, ["time"]), (1, 1, ["requests"])])
def test_bars(seconds: float, requests: int, failing: list[str]) -> None:
    """A preview of a small stack takes at most 1.15 times as long as the floor, and sends no request."""
    found = result(measurement("floor", 0, 1.0), measurement("ours", 0, seconds, requests=requests))
    kinds = bars(found, [(STACK, 10, 1)], "ours", "floor")
    assert [bar.name.partition(" ")[0].rstrip(",") for bar in kinds if not bar.holds] == failing
    assert {bar.name.partition(" ")[0].rstrip(",") for bar in kinds} == {"requests", "time", "memory"}


@pytest.mark.parametrize(("requests", "seconds"), [(1, 0), (60, 0), (61, 60), (120, 60), (121, 120)])
def test_least_seconds(requests: int, seconds: int) -> None:
    """A sliding window of a minute lets 60 requests pass at once, and the next one after a minute."""
    assert least_seconds(requests) == seconds


def test_limit_bars() -> None:
    """Under the rate limit, the time of one stack and the requests of several stacks are compared."""
    one = measurement("ours", 0, 126.5, requests=180)
    found = limit_bars(one, Concurrent(4, 30, 150.0, 181, 40, []))
    assert [(round(bar.figure, 2), bar.holds) for bar in found] == [(1.05, True), (181, False), (40, True)]


def test_failure_in_the_table() -> None:
    """A contender that fails has no time that looks like a success."""
    found = result(measurement("ours", 0, 1.0), measurement("peer", 0, 2.0, failure="status 1"))
    assert "| 1.0 s / 0 / 50 MB | **fails** 2.0 s / 0 / 50 MB |" in found.to_markdown()


def test_write(tmp_path: Path) -> None:
    """`--write` replaces the part of the page between its marks, and keeps the rest."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_into(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match=page.name):
        write_into(page, "new\n")
