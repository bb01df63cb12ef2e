"""A fit or a search that was interrupted, wherever that was, ends as one that was not: to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mixtura
from mixtura import GaussianMixture
from mixtura.exceptions import CheckpointError, ParameterError
from mixtura.select import Candidate, SearchResult, search

RNG = np.random.RandomState(0)
ROWS = RNG.standard_normal((1_200, 3)) * [1, 2, 3] + 2.5 * RNG.randint(3, size=(1_200, 1))

ASKED: dict[str, dict[str, Any]] = {
    "all rows": {"components": [2, 3], "covariance_types": ["spherical", "diag", "full"]},
    "a sample first": {"components": [1, 3], "covariance_types": ["diag", "full"], "sample_rows": 600},
    "noise": {"components": [2], "covariance_types": ["diag", "full"], "robust": "noise"},
}


def same(one: SearchResult, other: SearchResult) -> None:
    assert one.best.covariance_type == other.best.covariance_type
    assert len(one.candidates) == len(other.candidates)
    for mine, its in zip(one.candidates, other.candidates, strict=True):
        assert (mine.covariance_type, mine.n_components) == (its.covariance_type, its.n_components)
        assert mine.log_likelihood == its.log_likelihood
        assert mine.entropy == its.entropy
        assert mine.outcome == its.outcome
        assert mine.mixture is not None
        assert its.mixture is not None
        for name in ("weights", "means", "covariances"):
            np.testing.assert_array_equal(getattr(mine.mixture, name), getattr(its.mixture, name))


def ending_after(number: int) -> Callable[[Candidate, int, int], None]:
    """Interrupt once as many models are done; those that others have finished ahead are among them."""

    def end(candidate: Candidate, done: int, total: int) -> None:
        if done >= number:
            raise KeyboardInterrupt

    return end


@pytest.mark.parametrize("how", ASKED)
def test_a_search_goes_on_where_it_was_interrupted(how: str, tmp_path: Path) -> None:
    asked, path = ASKED[how], tmp_path / "run.checkpoint"
    whole = search(ROWS, **asked)
    for number in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            search(
                ROWS, **asked, checkpoint=path, on_candidate=ending_after(min(number, len(whole.candidates)))
            )
        assert path.exists()
        same(search(ROWS, **asked, checkpoint=path), whole)
        assert not path.exists()


def test_what_is_done_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    asked, path = ASKED["all rows"], tmp_path / "run.checkpoint"
    whole = search(ROWS, **asked)
    assert not whole.interrupted
    with mixtura.set_threads(1):
        partly = search(ROWS, **asked, checkpoint=path, keep_interrupted=True, on_candidate=ending_after(2))
    assert partly.interrupted
    assert len(partly.candidates) == 2
    same(search(ROWS, **asked, checkpoint=path), whole)


def _at_once(*_: object) -> None:
    raise KeyboardInterrupt


def test_nothing_done_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixtura.select.model_search.fitter.Fitter.fit_all", _at_once)
    with pytest.raises(KeyboardInterrupt):
        search(ROWS, components=[2], keep_interrupted=True)


def test_another_table_or_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        search(ROWS, **ASKED["all rows"], checkpoint=path, on_candidate=_at_once)
    for rows, asked in ((ROWS[:-1], ASKED["all rows"]), (ROWS, ASKED["all rows"] | {"random_state": 1})):
        with pytest.raises(CheckpointError, match="same rows and parameters"):
            search(rows, **asked, checkpoint=path)


@pytest.mark.parametrize("seed", [0, None])
def test_the_estimator_goes_on(seed: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixtura.fit.journal._SECONDS", 0.0)
    path, passes = tmp_path / "run.checkpoint", 0
    asked = {
        "n_components": 3,
        "n_init": 2,
        "init_params": "random",
        "tol": 1e-9,
        "max_iter": 40,
        "random_state": seed,
    }
    interrupted = GaussianMixture(**asked, checkpoint=path)
    from mixtura.fit.steps.em import EMStep

    step = EMStep.__call__

    def ending(self: Any, state: Any) -> Any:
        nonlocal passes
        passes += 1
        if passes == 55:
            raise KeyboardInterrupt
        return step(self, state)

    with monkeypatch.context() as patched:
        patched.setattr(EMStep, "__call__", ending)
        with pytest.raises(KeyboardInterrupt):
            interrupted.fit(ROWS)
    made, passes = passes, 0
    with pytest.warns(UserWarning, match="did not converge"):
        again = GaussianMixture(**asked, checkpoint=str(path)).fit(ROWS)
    assert made == 55
    assert not path.exists()
    if seed is not None:
        with pytest.warns(UserWarning, match="did not converge"):
            whole = GaussianMixture(**asked).fit(ROWS)
        np.testing.assert_array_equal(again.means_, whole.means_)
        assert again.lower_bounds_ == whole.lower_bounds_


def test_the_estimator_refuses_what_would_begin_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    with pytest.raises(ParameterError, match="`random_state` must be a number or None"):
        GaussianMixture(2, random_state=np.random.RandomState(0), checkpoint=path).fit(ROWS)
    with pytest.raises(ParameterError, match="`warm_start` must be False"):
        GaussianMixture(2, warm_start=True, checkpoint=path).fit(ROWS)
    assert not path.exists()


PROGRAM = """
import sys
import numpy as np
from mixtura.select import search
rng = np.random.RandomState(0)
rows = rng.standard_normal((30_000, 4)) * [1, 2, 3, 1] + 1.5 * rng.randint(4, size=(30_000, 1))
found = search(rows, components=range(2, 6), sample_rows=4_000, checkpoint=sys.argv[1] or None)
values = [found.best.mixture.means, found.best.mixture.covariances]
print(*(one.hex() for value in values for one in value.ravel().tolist()), *(c.bic.hex() for c in found.candidates))
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_from_wherever_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    command = [sys.executable, "-c", PROGRAM]
    begun = time.monotonic()
    whole = subprocess.run([*command, ""], check=True, capture_output=True, text=True).stdout
    took, ends, grown = time.monotonic() - begun, 0, set[int]()
    for share in (0.3, 0.45, 0.6, 0.75, 0.9):
        with subprocess.Popen(
            [*command, str(path)], stdout=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                process.wait(timeout=took * share)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                ends += 1
        if path.exists():
            grown.add(path.stat().st_size)
    assert ends > 0
    assert grown
    again = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True).stdout
    assert again == whole
    assert list(tmp_path.iterdir()) == []


def test_folds_that_were_scored_are_not_scored_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mixtura.select.scores import folds

    asked: dict[str, Any] = {"components": [1, 2, 3], "covariance_types": ["diag", "full"], "criterion": "cv"}
    asked |= {"n_folds": 4, "random_state": 0}
    alone = search(ROWS, **asked)
    scored, plain = list[int](), folds._score_fold

    def counted(shared: Any, fold: int) -> Any:
        scored.append(fold)
        return plain(shared, fold)

    def end(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(folds, "_score_fold", counted)
    done = list[int]()
    with mixtura.set_threads(1):  # another process would score some, and they are not counted there
        with pytest.raises(KeyboardInterrupt):
            search(ROWS, **asked, checkpoint=tmp_path / "run", on_fold=end)
        assert scored == [0, 1]
        again = search(
            ROWS, **asked, checkpoint=tmp_path / "run", on_fold=lambda one, total: done.append(one)
        )
    assert scored == [0, 1, 2, 3]
    assert done == [1, 2, 3, 4]
    same(again, alone)
    for one, other in zip(again.candidates, alone.candidates, strict=True):
        assert one.folds is not None
        assert other.folds is not None
        assert one.folds.values.tolist() == other.folds.values.tolist()
    assert not (tmp_path / "run").exists()
