"""Lanes: the folders of tests, what each may take, and the table that is printed at the end of a run.

A test belongs to the lane of the folder that it lies in; examples in docstrings are a lane of their own. Budgets are
printed beside what a run took and are never asserted: machines differ. Seconds are summed over workers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

__all__ = ["LANES", "Lane", "Spent", "add_options", "choose", "lane_of", "print_lanes"]


@dataclass(frozen=True)
class Lane:
    """What a lane may take on two cores, in seconds: one test, and all of them; and whether its coverage counts."""

    each: float
    total: float
    covered: bool = False


LANES = {
    "api": Lane(each=2, total=90),
    "unit": Lane(each=1, total=180, covered=True),
    "contract": Lane(each=1, total=60, covered=True),
    "laws": Lane(each=5, total=90),
    "reference": Lane(each=5, total=60),
    "product": Lane(each=2, total=120, covered=True),
    "presentation": Lane(each=2, total=90, covered=True),
    "cli": Lane(each=10, total=90, covered=True),
    "docs": Lane(each=10, total=90),
    "examples": Lane(each=2, total=60),
    "services": Lane(each=20, total=180),
}


def lane_of(nodeid: str) -> str:
    """The lane of a test: its folder under `tests`, or the examples in docstrings."""
    top, _, rest = nodeid.partition("/")
    lane = rest.partition("/")[0] if top == "tests" else "examples"
    if lane not in LANES:
        raise pytest.UsageError(f"{nodeid} lies in no lane; lanes are {', '.join(LANES)}")
    return lane


def add_options(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="run the slow tests too, and ten times the generated tables",
    )


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests to `--thorough`, and most cases of those of many; trace coverage where it counts.

    It is that of the fast tests: the others run what these have run, and tracing takes half of their time.
    """
    left_out = {item for item in items if is_left_out(item)}
    if not config.getoption("thorough"):
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=is_not_first)
    for item in items:
        if item in left_out or not LANES[lane_of(item.nodeid)].covered:
            item.add_marker(pytest.mark.no_cover)


def is_left_out(item: pytest.Item) -> bool:
    """Whether only `--thorough` runs a test: a slow one, or a case that is not in the sample of its test.

    Chance draws the sample, so that it has all values of every parameter; a name always draws the same.
    """
    sampled = item.get_closest_marker("sampled")
    drawn = sampled is None or zlib.crc32(item.nodeid.encode()) % sampled.args[0] == 0
    return not drawn or item.get_closest_marker("slow") is not None


def is_not_first(item: pytest.Item) -> bool:
    """Whether a test waits for those marked `first`, which the first worker has all: no worker steals from that end."""
    return item.get_closest_marker("first") is None


@dataclass
class Spent:
    """What the tests of a lane took."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, nodeid: str, seconds: float) -> None:
        self.seconds[nodeid] = self.seconds.get(nodeid, 0.0) + seconds

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def spent_by_lane(reports: Iterable[Any]) -> dict[str, Spent]:
    spent: dict[str, Spent] = {name: Spent() for name in LANES}
    for report in reports:
        if isinstance(report, pytest.TestReport):
            spent[lane_of(report.nodeid)].add(report.nodeid, report.duration)
    return spent


def print_lanes(terminal: Any) -> None:
    """Print what each lane took, its budget, and its slowest test."""
    reports = [
        report
        for kind in ("passed", "failed", "skipped", "error", "")
        for report in terminal.getreports(kind)
    ]
    lines = []
    for name, spent in spent_by_lane(reports).items():
        if not spent.seconds:
            continue
        slowest = max(spent.seconds, key=spent.seconds.__getitem__)
        over = "over" if spent.total > 2 * LANES[name].total else ""
        lines.append(
            f"{name:13}{len(spent.seconds):6}{spent.total:9.1f}{2 * LANES[name].total:8.0f} {over:5}"
            f"{spent.seconds[slowest]:7.1f}  {slowest}"
        )
    if len(lines) > 1:
        terminal.section("seconds by lane, over all workers", sep="-")
        terminal.line(f"{'lane':13}{'tests':>6}{'seconds':>9}{'budget':>8} {'':5}{'slowest':>7}")
        for line in lines:
            terminal.line(line)
