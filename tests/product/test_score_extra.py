"""The extra `score`: with it and the core alone a model is loaded and customers are assigned."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import polars as pl
import pytest

import mixtura
from fitted import fitted
from mixtura.segments import assign_table

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

HIDE = """
import json, sys

absent = set(json.loads(sys.argv.pop()))

class Minimal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Minimal())
"""

SCORE = """
model, table, library = sys.argv[1:]
frame = __import__(library).read_csv(table)
from mixtura import Segmentation

loaded = Segmentation.load(model)
found, chosen = loaded.assign(frame), loaded.audience(loaded.names[0], frame=frame, min_probability=0.3)
print(json.dumps([[int(one) for one in found["segment"]], len(chosen), "sklearn" in sys.modules]))
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def with_dependencies(names: list[str]) -> set[str]:
    """These distributions, and all that they need without extras."""
    found: set[str] = set()
    while names:
        name = normal(names.pop())
        if name in found:
            continue
        found.add(name)
        try:
            names += [one for one in requires(name) or () if "extra" not in one.partition(";")[2]]
        except PackageNotFoundError:  # for another system
            continue
    return found


@cache
def modules() -> dict[str, set[str]]:
    return {top: set(map(normal, names)) for top, names in packages_distributions().items()}


def absent(*requirements: str) -> list[str]:
    """All installed modules but those of the core and of some requirements, and what these need."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    present = with_dependencies(["mixtura", *project["dependencies"], *requirements])
    return [top for top, names in modules().items() if not names & present]


def score(tmp_path: Path, library: str, *requirements: str) -> subprocess.CompletedProcess[str]:
    result = fitted("customers-3")
    result.model.save(tmp_path / "model.json")
    mixtura.datasets.make_customers(as_frame="polars").write_csv(tmp_path / "table.csv")
    arguments = [tmp_path / "model.json", tmp_path / "table.csv", library]
    arguments.append(json.dumps(absent(library, *requirements)))
    return subprocess.run(
        [sys.executable, "-c", HIDE + SCORE, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def extra() -> list[str]:
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]["score"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_core_and_the_extra_are_enough(tmp_path: Path, library: str) -> None:
    done = score(tmp_path, library, *extra())
    assert done.returncode == 0, done.stderr
    labels, n_chosen, loads_sklearn = json.loads(done.stdout)
    table = pl.read_csv(tmp_path / "table.csv")
    found = assign_table(fitted("customers-3").model, table)
    assert labels == (found.labels + 1).tolist()
    assert n_chosen == int((found.memberships[:, 0] >= 0.3).sum())
    assert not loads_sklearn


def test_without_the_extra_the_error_names_it(tmp_path: Path) -> None:
    done = score(tmp_path, "polars")
    assert done.returncode == 1
    assert done.stderr.endswith('Install it with: pip install "mixtura[score]"\n')


@pytest.mark.parametrize("command", ["--help", "assign model.json table.csv", "demo"])
def test_the_command_line_without_its_extra_says_so_first(tmp_path: Path, command: str) -> None:
    code = f"{HIDE}\nfrom mixtura.cli import main\nmain()"
    arguments = [sys.executable, "-c", code, *command.split(), json.dumps(absent())]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mixtura: 'typer' is not installed. It is needed to use the command line. Install it with: "
        'pip install "mixtura[cli]"\n'
    )
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_small() -> None:
    assert {"typer", "rich", "altair", "duckdb", "pyarrow", "pandas", "polars", "jinja2"} <= set(
        absent(*extra())
    )
    assert len(with_dependencies(extra())) <= 6
