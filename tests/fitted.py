"""Results that are fitted once: kept on disk for all workers of a run, and for the next run of the same code.

    result = fitted("customers-3")                       # one that several modules use, from RECIPES
    result = remembered("searches", table, make=search_it)  # one of a module's own

An entry's key holds its name, what it was made of, the sources of the package and the versions it builds on, so that a
change of the code makes all entries again. A lock lets one worker compute what others wait for. Every call reads the
entry from disk: what a test changes in a result stays its own.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

import mixtura
from mixtura.datasets import make_customers
from mixtura.segments import segment_table
from mixtura.select import search

__all__ = ["RECIPES", "fitted", "folder", "remembered"]

KEPT = Path(__file__).resolve().parents[1] / ".pytest_cache" / "d" / "fitted"
BUILT_ON = ("numpy", "scipy", "scikit-learn", "narwhals", "polars")
RUNS = 4
"""How many states of the code are kept."""

RECIPES: dict[str, Callable[[], Any]] = {
    "customers-3": lambda: segment_table(make_customers(as_frame="polars"), components=[3]),
    "five": lambda: segment_table(make_customers(kind="five", as_frame="polars"), source="five"),
    "five-5": lambda: segment_table(
        make_customers(kind="five", as_frame="polars"), components=[5], covariance_types=["full"]
    ),
    "search-all": lambda: search(make_customers(), components=[1, 2, 3], covariance_types="all"),
}


@cache
def folder() -> Path:
    """The folder of this state of the code; those of the oldest other states are removed."""
    package = Path(mixtura.__file__).parent
    digest = hashlib.sha256(repr([sys.version, *map(version, BUILT_ON)]).encode())
    sources = [
        path for path in sorted(package.rglob("*")) if path.suffix in {".py", ".so", ".html", ".css", ".js"}
    ]
    for path in [*sources, Path(__file__)]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    found = KEPT / digest.hexdigest()[:16]
    found.mkdir(parents=True, exist_ok=True)
    os.utime(found)
    by_age = sorted((path for path in KEPT.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    return found


def _parts(parts: tuple[object, ...]) -> bytes:
    """What tells two entries of one name apart: arrays by their bytes, all else by its `repr`."""
    return b"\0".join(
        part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode() for part in parts
    )


def remembered(name: str, *parts: object, make: Callable[[], Any]) -> Any:
    """Return what `make` returned when it was first asked for, in any worker or an earlier run of the same code.

    Parameters
    ----------
    name : str
        What it is, unique in the tests.
    *parts : ndarray or anything that its `repr` describes
        What `make` depends on besides the code of the package.
    make : callable without arguments
        Computes it; the value is pickled.
    """
    entry = folder() / f"{name}-{hashlib.sha256(_parts(parts)).hexdigest()[:16]}.pickle"
    if not entry.exists():
        with FileLock(f"{entry}.lock"):
            if not entry.exists():
                temporary = entry.with_suffix(".part")
                temporary.write_bytes(pickle.dumps(make()))
                temporary.replace(entry)
    return pickle.loads(entry.read_bytes())


def fitted(name: str) -> Any:
    """Return one of `RECIPES`, fitted once."""
    return remembered(name, make=RECIPES[name])
