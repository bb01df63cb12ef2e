"""Install mixtura with the lowest and with the newest versions that it declares, and test it with both.

    python .ci/versions.py [lowest] [newest]

The lowest are the bounds in pyproject.toml, to the digit; the newest are what the registry has today. Each end gets an
environment of its own beside .venv, both are filled while the package is built, once, and the tests that meet
other libraries run: the interface beside scikit-learn's, the contracts, frames, files, charts and the command line.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ["filelock", "hypothesis", "mpmath", "pytest", "pytest-timeout", "pytest-xdist", "pillow"]
TESTED_WITH = ["click", "openpyxl", "pandas", "polars"]
SHOWN = ["numpy", "scipy", "scikit-learn", "pandas", "polars", "pyarrow", "duckdb", "narwhals"]
OLD_DECORATORS = ["-W", "ignore::pytest.PytestRemovedIn10Warning"]
"""scikit-learn 1.6 hands pytest a generator of checks."""
LANES = [
    "tests/api/test_callbacks.py",
    "tests/api/test_check_estimator.py",
    "tests/api/test_other_arrays.py",
    "tests/api/test_same_numbers.py",
    "tests/api/test_set_by_hand.py",
    "tests/api/test_sklearn_module.py",
    "tests/api/test_where_sklearn_breaks.py",
    "tests/contract/test_algebra.py",
    "tests/contract/test_blocks.py",
    "tests/contract/test_families.py",
    "tests/contract/test_passes.py",
    "tests/contract/test_runners.py",
    "tests/unit/data",
    "tests/unit/estimators",
    "tests/unit/io",
    "tests/product/test_score_extra.py",
    "tests/product/test_segmentation.py",
    "tests/product/segments/advice/test_dip.py",
    "tests/product/segments/model",
    "tests/product/segments/table",
    "tests/presentation/plot/test_charts.py::test_charts_are_saved_in_every_format",
    "tests/presentation/plot/test_export.py",
    "tests/presentation/report/test_golden.py",
    "tests/presentation/report/test_workbook.py",
    "tests/cli/test_segment.py",
    "tests/cli/test_other_commands.py",
]


def declared() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower()


def requirements() -> list[str]:
    """What the package and its tests need of other libraries, as declared."""
    extras = declared()
    ours = [
        one for extra in ("", "score", "cli", "excel") for one in extras[extra] if name_of(one) != "mixtura"
    ]
    return [*ours, *(one for one in extras["dev"] if name_of(one) in TESTED_WITH)]


def lowest() -> list[str]:
    """Each requirement at its lower bound; where a library is named twice, the higher one."""
    bounds: dict[str, tuple[int, ...]] = {}
    for one in requirements():
        bound = tuple(int(part) for part in re.search(r">=([\d.]+)", one)[1].split("."))
        bounds[name_of(one)] = max(bound, bounds.get(name_of(one), ()))
    return [f"{name}=={'.'.join(map(str, bound))}" for name, bound in bounds.items()]


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def pip(python: Path, *arguments: str | Path) -> None:
    run(python, "-m", "pip", "--disable-pip-version-check", *arguments)


def wheel() -> Path:
    """The package, built once."""
    folder = ROOT / "build" / "wheels"
    for old in folder.glob("mixtura-*.whl"):
        old.unlink()
    pip(Path(sys.executable), "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
    return next(folder.glob("mixtura-*.whl"))


def prepare(end: str) -> Path:
    """An environment with one end of all ranges, still without mixtura."""
    folder = ROOT / f".venv-{end}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = lowest() if end == "lowest" else [re.sub(r"[<>=~!].*", "", one) for one in requirements()]
    strategy = "only-if-needed" if end == "lowest" else "eager"
    pip(python, "install", "--quiet", "--upgrade", "--upgrade-strategy", strategy, *wanted, *TOOLS)
    return python


def install(python: Path, built: Path) -> None:
    pip(python, "install", "--quiet", "--no-deps", "--force-reinstall", built)
    pip(python, "check")


def show(python: Path) -> None:
    versions = f"print(*(name + ' ' + version(name) for name in {SHOWN}), sep=', ')"
    run(python, "-c", f"from importlib.metadata import version\n{versions}")
    run(python, "-c", "import mixtura; print(mixtura.__file__, mixtura.build_info())")


def main() -> None:
    ends = sys.argv[1:] or ["lowest", "newest"]
    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        prepared = pool.map(prepare, ends)
        built = wheel()
        pythons = dict(zip(ends, prepared, strict=True))
    print(f"environments: {time.monotonic() - start:.0f} s", flush=True)
    for end, python in pythons.items():
        start = time.monotonic()
        install(python, built)
        print(f"\n== {end} versions", flush=True)
        show(python)
        run(python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *OLD_DECORATORS, *LANES)
        print(f"{end}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
