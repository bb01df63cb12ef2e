"""Races whose runs compiled code makes ahead: they end as where every run is made, and looked at, by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixtura.core.mixture import Mixture
from mixtura.engine import as_data
from mixtura.fit import (
    FitResult,
    FromMixture,
    Outcome,
    Problem,
    RemainingGain,
    Settings,
    continue_batch,
    fit_best_of,
    likeliest_after,
)
from mixtura.fit.journal import Journal
from mixtura.fit.racing import Racing
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels.iterations.stretch import Ending, Stretch, can_advance
from stretch_cases import (
    NAMES,
    ROBUST,
    first_mixture,
    overlapping,
    problem_of,
    robust_problem,
)

pytestmark = pytest.mark.skipif(not can_advance(), reason="the compiled core is not built")

STOP = RemainingGain(400.0, 1e-4)
SETTINGS = Settings(STOP, 1_000, step=partial(WarmupEM, tolerance=1e-4))


@pytest.fixture
def contests(monkeypatch: pytest.MonkeyPatch) -> list[list[Ending]]:
    """How the runs of each contest ended."""
    seen, contest = list[list[Ending]](), Stretch.contest

    def watched(*given: Any, **named: Any) -> Any:
        runs = contest(*given, **named)
        seen.append([one.ending for one in runs])
        return runs

    monkeypatch.setattr(Stretch, "contest", watched)
    return seen


def both(problem: Problem, starts: list[Mixture], settings: Settings = SETTINGS, **how: Any) -> FitResult:
    """Race with and without contests, assert the same, and return what it is."""

    def race() -> FitResult:
        began = [FromMixture(one) for one in starts]
        return fit_best_of(problem, began, settings, random_state=np.random.RandomState(0), **how)

    ahead = race()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Racing, "foreseen", 0)
        alone = race()
    assert ahead.traces == alone.traces
    assert ahead.best == alone.best
    assert ahead.lower_bound == alone.lower_bound
    for one, other in ((ahead.mixture, alone.mixture), *zip(ahead.rivals, alone.rivals, strict=True)):
        np.testing.assert_array_equal(one.means, other.means)
        np.testing.assert_array_equal(one.covariances, other.covariances)
        np.testing.assert_array_equal(one.weights, other.weights)
    return ahead


def starts_of(problem: Problem, n: int) -> list[Mixture]:
    return [first_mixture(problem, seed) for seed in range(n)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_components", [2, 5])
def test_races_end_as_they_do_run_by_run(name: str, n_components: int, contests: list[list[Ending]]) -> None:
    problem = problem_of(as_data(overlapping(400, 3)), name, n_components)
    both(problem, starts_of(problem, 6))
    assert sum(map(len, contests)) >= 6
    assert len(contests) < 6


@pytest.mark.parametrize("near", [0.0, 20.0])
@pytest.mark.parametrize("behind", [None, -30.0, -0.5, 0.5, 30.0])
def test_a_known_end_and_a_target_are_what_runs_race_against(
    behind: float | None, near: float, contests: list[list[Ending]]
) -> None:
    problem = problem_of(as_data(overlapping(400, 2)), "full", 4)
    starts = starts_of(problem, 6)
    first = both(problem, starts)
    assert Outcome.ABANDONED in {one.outcome for one in first.traces}
    target = -np.inf if behind is None else 400.0 * first.lower_bound + behind
    for known in (None, first.mixture, starts[0]):
        both(problem, starts, target=target, known=known, near=near)
    endings = {one for of_contest in contests for one in of_contest}
    assert endings >= {Ending.SATISFIED, Ending.ABANDONED}


def test_ends_that_are_not_accepted_are_no_targets(contests: list[list[Ending]]) -> None:
    """What was foreseen of the runs after them was against another target: they are made again."""
    problem = problem_of(as_data(overlapping(400, 2)), "full", 3)
    starts = starts_of(problem, 7)
    first = both(problem, starts[:1]).mixture
    contests.clear()

    def accept(mixture: Mixture) -> bool:
        return not np.allclose(mixture.means, first.means, rtol=1e-3)

    refused = both(problem, starts, accept=accept)
    assert refused.traces[0].converged
    assert len(contests) >= 2
    assert len(contests[0]) > 1
    both(problem, starts, accept=lambda mixture: False)


@pytest.mark.parametrize("max_iter", [1, 7, 16, 17, 40, 150])
def test_races_end_at_the_limit_of_passes(max_iter: int, contests: list[list[Ending]]) -> None:
    problem = problem_of(as_data(overlapping(400, 2)), "full", 5)
    found = both(problem, starts_of(problem, 4), replace(SETTINGS, max_iter=max_iter))
    assert max(len(one.events) for one in found.traces) <= max_iter
    assert contests


def test_a_film_that_is_full_ends_a_contest(contests: list[list[Ending]], monkeypatch: Any) -> None:
    monkeypatch.setattr("mixtura.fit.contest._FILM", 0)
    problem = problem_of(as_data(overlapping(400, 2)), "full", 5)
    both(problem, starts_of(problem, 6))
    assert Ending.COMPLETE in {of_contest[-1] for of_contest in contests}


def test_a_call_is_short_enough_to_be_interrupted(
    contests: list[list[Ending]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of rows of which a pass takes long a contest has few: here as many as of the slowest."""
    monkeypatch.setattr("mixtura.fit.steps.stretched._MOST_WORK", 1.0)
    problem = problem_of(as_data(overlapping(400, 2)), "full", 5)
    both(problem, starts_of(problem, 4))
    assert {one for of_contest in contests for one in of_contest} <= {Ending.COMPLETE, Ending.ABANDONED}


@pytest.mark.parametrize("name", NAMES)
def test_the_likeliest_after_some_passes_are_those_of_the_steps(
    name: str, contests: list[list[Ending]]
) -> None:
    problem = problem_of(as_data(overlapping(400, 3)), name, 4)
    starts = starts_of(problem, 6)
    found = likeliest_after(problem, starts, STOP, 2, 3)
    assert contests == [[Ending.COMPLETE] * 6]
    tried = continue_batch([problem] * 6, starts, STOP, 2)
    ends = [one for one in tried if isinstance(one, FitResult)]
    wanted = sorted(ends, key=lambda one: -one.lower_bound)[:3]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.weights, other.mixture.weights, rtol=1e-11)
        np.testing.assert_allclose(one.means, other.mixture.means, rtol=1e-12)
        np.testing.assert_allclose(one.covariances, other.mixture.covariances, rtol=1e-10, atol=1e-11)


def test_the_likeliest_are_found_in_several_calls_where_passes_take_long(
    contests: list[list[Ending]], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of(as_data(overlapping(400, 2)), "full", 3)
    starts = starts_of(problem, 5)
    at_once = likeliest_after(problem, starts, STOP, 2, 5)
    monkeypatch.setattr("mixtura.fit.steps.stretched._MOST_WORK", 1.0)
    one_by_one = likeliest_after(problem, starts, STOP, 2, 5)
    assert [len(one) for one in contests] == [5, 2, 2, 1]
    for one, other in zip(at_once, one_by_one, strict=True):
        np.testing.assert_array_equal(one.means, other.means)


def test_the_likeliest_where_a_step_takes_more_care(contests: list[list[Ending]]) -> None:
    """A component without rows is left to Python, and with it all that are tried."""
    problem = problem_of(as_data(overlapping(400, 2)), "full", 3)
    starts = starts_of(problem, 4)
    starts[2] = replace(starts[2], weights=np.array([0.0, 0.4, 0.6]), offsets=None)
    found = likeliest_after(problem, starts, STOP, 2, 4)
    assert contests[0][-1] is Ending.TROUBLE
    assert sum(one.weights.min() == 0 for one in found) == 1
    assert len(found) == 4


def test_runs_that_are_kept_are_looked_at_one_pass_after_the_other(
    contests: list[list[Ending]], tmp_path: Path
) -> None:
    problem = problem_of(as_data(overlapping(400, 2)), "full", 3)
    starts = starts_of(problem, 3)
    with Journal(tmp_path / "kept", "rows", seconds=0.0) as journal:
        kept = both(problem, starts, replace(SETTINGS, journal=journal, name="kept"))
    assert contests == []
    assert kept.lower_bound == pytest.approx(both(problem, starts).lower_bound, rel=1e-9)


@pytest.mark.parametrize("kind", ["noise", "t", "noise and t", "missing", "weights", "float32", "levels"])
def test_whatever_stretches_have_contests_have(kind: str, contests: list[list[Ending]]) -> None:
    how: dict[str, Any] = {"missing": {"gaps": 0.1}, "weights": {"weighted": True}}.get(kind, {kind: True})
    problem = robust_problem("full", kind) if kind in ROBUST else robust_problem("full", "neither", **how)
    both(problem, starts_of(problem, 5))
    assert contests
