"""A journal keeps what is finished: a run that goes on from it after an interruption ends as one without, bitwise."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.exceptions import CheckpointError
from mixtura.fit import (
    INITIALIZATIONS,
    AbsoluteChange,
    AcceleratedEMStep,
    FitResult,
    Problem,
    Settings,
    fit_mixture,
)
from mixtura.fit.journal import Journal

ROWS = np.random.RandomState(3).standard_normal((400, 2)) + 1.2 * np.random.RandomState(4).randint(
    3, size=(400, 1)
)


class StoppedError(Exception):
    """Stands for the end of the process."""


def fit(journal: Journal | None, stop_at: int | None = None, **settings: Any) -> FitResult:
    """Fit from three starts; the process ends after some iterations of all."""
    passes = 0

    def observe(*_: object) -> None:
        nonlocal passes
        passes += 1
        if passes == stop_at:
            raise StoppedError

    problem = Problem(as_data(ROWS), GaussianModel(3, get_family("full"), Ridge(1e-6)))
    asked = replace(Settings(AbsoluteChange(1e-7), 40, observe, journal=journal), **settings)
    return fit_mixture(
        problem, INITIALIZATIONS["random"], asked, n_init=3, random_state=np.random.RandomState(0)
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("step", [{}, {"step": AcceleratedEMStep}], ids=["plain", "accelerated"])
@pytest.mark.parametrize("stop_at", [1, 21, 40, 78])
def test_a_fit_that_was_stopped_anywhere_ends_to_the_last_bit_as_one_that_was_not(
    stop_at: int, step: dict[str, Any], tmp_path: Path
) -> None:
    whole, path = fit(None, **step), tmp_path / "run.checkpoint"
    total = sum(len(trace.events) for trace in whole.traces)
    with Journal(path, "rows", seconds=0.0) as journal, pytest.raises(StoppedError):
        fit(journal, min(stop_at, total - 1), **step)
    with Journal(path, "rows", seconds=0.0) as journal:
        again = fit(journal, **step)
        repeated = fit(journal, 1, **step)  # all is there: nothing is iterated
    for one in (again, repeated):
        assert one.traces == whole.traces
        assert one.best == whole.best
        assert one.notes == whole.notes
        for name in ("weights", "means", "covariances"):
            np.testing.assert_array_equal(getattr(one.mixture, name), getattr(whole.mixture, name))


def test_states_are_saved_no_more_often_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    with Journal(path, "rows", seconds=1e9) as journal, pytest.raises(StoppedError):
        fit(journal, 20)
    with sqlite3.connect(path) as database:
        assert [
            name for (name,) in database.execute("select name from entry where name like '%under way'")
        ] == []


def test_the_rows_their_weights_and_the_parameters_make_the_difference(tmp_path: Path) -> None:
    path, data = tmp_path / "run.checkpoint", as_data(ROWS)
    Journal.of(path, data, {"seed": 0, "families": ["full"]}).close()
    Journal.of(path, as_data(ROWS.copy()), {"seed": 0, "families": ["full"]}).close()
    other = ROWS.copy()
    other[17, 1] = np.nextafter(other[17, 1], np.inf)
    for rows, about in (
        (data, {"seed": 1, "families": ["full"]}),
        (as_data(other), {"seed": 0, "families": ["full"]}),
        (as_data(ROWS, np.full(400, 2.0)), {"seed": 0, "families": ["full"]}),
    ):
        with pytest.raises(CheckpointError, match="same rows and parameters"):
            Journal.of(path, rows, about)


def test_it_is_refused_where_it_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="directory that exists"):
        Journal(tmp_path / "missing" / "run.checkpoint", "rows")
    with pytest.raises(CheckpointError, match="directory that exists"):
        Journal(tmp_path, "rows")
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be read as one" * 40)
    with pytest.raises(CheckpointError, match="another kind of file"):
        Journal(text, "rows")
    foreign = tmp_path / "orders.sqlite"
    with sqlite3.connect(foreign) as database:
        database.execute("create table orders (id integer)")
    before = foreign.read_bytes()
    with pytest.raises(CheckpointError, match="another kind of file"):
        Journal(foreign, "rows")
    assert foreign.read_bytes() == before
    with Journal(tmp_path / "run.checkpoint", "rows"), pytest.raises(CheckpointError, match="no other run"):
        Journal(tmp_path / "run.checkpoint", "rows")


def test_it_is_removed_with_what_sqlite_puts_beside_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.checkpoint", "rows")
    journal.put("one", np.arange(3.0))
    journal.remove()
    assert list(tmp_path.iterdir()) == []
