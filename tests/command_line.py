"""Fixtures that drive the command line as a user would."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from fitted import remembered
from mixtura.cli.app import app
from mixtura.datasets import make_customers
from mixtura.report.charts import Chart

__all__ = [
    "customers",
    "kept",
    "model",
    "quick_reports",
    "refused",
    "rows",
    "run",
    "snapshot",
    "workplace",
    "write_customers",
]

LoopResult = Callable[..., Result]

PICTURE = b"\x89PNG\r\n\x1a\n"
"""Where pictures are not drawn: how they begin."""


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies in a folder: the content of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


class Blank(dict[str, Chart]):
    """Charts of a report, all of them empty."""

    def __missing__(self, name: str) -> Chart:
        return Chart(name, (), "<svg></svg>")


def resamples(request: pytest.FixtureRequest) -> bool:
    """Whether reports resample as often as they do for users: where reports are what is tested."""
    return request.path.name == "test_segment_report.py"


def draws(request: pytest.FixtureRequest) -> bool:
    """Whether reports are drawn: where they are what is tested, and once among the pages."""
    return resamples(request) or (
        request.path.name == "test_documents.py" and "[README.md]" in request.node.name
    )


def tries_few(request: pytest.FixtureRequest) -> bool:
    """Whether up to five components are tried instead of nine: where commands of a page run, but the first one's."""
    name = request.node.name
    return name.startswith("test_the_commands_of_a_page_run") and "[README.md]" not in name


@pytest.fixture(autouse=True)
def quick_reports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports resample three times instead of fifty and draw nothing, but where they are what is tested.

    Where the commands of a page run, the searches that they begin are shorter, too.
    """
    if tries_few(request):
        monkeypatch.setattr("mixtura.segments.options._COMPONENTS", range(1, 6))
    if not resamples(request):
        module = import_module("mixtura.segments.results.effort")
        monkeypatch.setattr(module, "_RESAMPLES", (3, 3))
    if not draws(request):
        monkeypatch.setattr("mixtura.report.charts.draw_charts", lambda document, rows: Blank())
        monkeypatch.setattr("mixtura.report.charts.draw_transitions", lambda document: {})
        monkeypatch.setattr("mixtura.report.drift_page.draw_drift", lambda document: {})
        monkeypatch.setattr("mixtura.plot.charts.segments.draw_chart", lambda subject, scores: PICTURE)
        # The process that renders takes half a second to start.
        monkeypatch.setattr("mixtura.plot.warm_up", nullcontext)


@pytest.fixture
def run(workplace: Path) -> LoopResult:
    """Run a command of mixtura in the workplace."""

    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


def write_customers(folder: Path) -> Path:
    rows = make_customers()
    lines = ["id,income,spending,country,shop"]
    for number, (income, spending) in enumerate(rows.tolist()):
        lines.append(f"{number:05d},{income!r},{spending!r},NL,7")
    path = folder / "customers.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def customers(workplace: Path) -> Path:
    """A table of 300 customers with an id that has leading zeros, a constant, and words."""
    return write_customers(workplace)


@pytest.fixture
def refused(run: LoopResult, workplace: Path) -> Callable[..., str]:
    """Run a command; return its message once it is sure that it was refused and left no trace."""

    def invoke(*arguments: str | Path) -> str:
        before = snapshot(workplace)
        done = run(*arguments)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert "Traceback" not in done.stderr
        assert snapshot(workplace) == before
        return done.stderr

    return invoke


@pytest.fixture
def model(kept: Callable[..., str], customers: Path) -> Path:
    """The model of three segments of the customers."""
    kept("segment", customers.name, "--components", "3", "--resamples", "0")
    return Path("customers-segments/model.json")


@pytest.fixture
def rows() -> np.ndarray:
    return make_customers()


@pytest.fixture
def kept(run: LoopResult, workplace: Path, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Run a command in the workplace once in all runs: leave there what it wrote, and return what it printed.

    What lies in the workplace before is part of what tells one run from another; arguments are relative to it.
    """

    def invoke(*arguments: str) -> str:
        before = snapshot(workplace)

        def make() -> tuple[str, dict[str, bytes | None]]:
            done = run(*arguments)
            assert done.exit_code == 0, done.output
            after = snapshot(workplace)
            assert before.keys() <= after.keys()
            return done.output, {name: after[name] for name in after if before.get(name, b"") != after[name]}

        effort = (draws(request) or PICTURE, resamples(request), tries_few(request))
        key = (arguments, *effort, sorted(before.items()))
        printed, written = remembered("command", *key, make=make)
        for name in sorted(written):  # folders before what is in them
            if written[name] is None:
                (workplace / name).mkdir(exist_ok=True)
            else:
                (workplace / name).write_bytes(written[name])
        return str(printed)

    return invoke
