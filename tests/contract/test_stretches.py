"""Steps that compiled code makes several of at a time: each is the step in Python, from the same state."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, Problem, RemainingGain, Settings, continue_fit
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import begin, value_of
from mixtura.fit.racing import RACE_SCHEDULE, Racing
from mixtura.fit.steps.em import EMStep
from mixtura.fit.steps.stretched import StretchedEM, stretched
from mixtura.fit.steps.warmup import WarmupEM
from mixtura.kernels import native
from mixtura.kernels.iterations import stretch as compiled
from mixtura.kernels.iterations.stretch import Ending, can_advance
from mixtura.run import set_threads
from mixtura.select.checked_rows import as_table
from stretch_cases import (
    NAMES,
    assert_same,
    assert_same_ends,
    assert_survives,
    first_mixture,
    follow,
    made,
    overlapping,
    problem_of,
)

SIZES = [(1, 1), (3, 1), (1, 3), (2, 2), (5, 3), (4, 6)]

pytestmark = pytest.mark.skipif(not can_advance(), reason="the compiled core is not built")


@pytest.mark.parametrize(("k", "d"), SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_a_plain_step_is_the_step(name: str, k: int, d: int) -> None:
    problem = problem_of(as_data(overlapping(300, d)), name, k)
    assert len(follow(EMStep(problem), problem, 6)) == 6


@pytest.mark.parametrize("name", NAMES)
def test_an_accelerated_step_is_the_step(name: str) -> None:
    problem = problem_of(as_data(overlapping(400, 3)), name, 4)
    kinds = follow(AcceleratedEMStep(problem, 1e-4), problem, 60)
    assert len(kinds) >= 50
    assert 1 in kinds


@pytest.mark.parametrize("name", ["EVE", "EVI", "EVV", "VEE", "VVE"])
def test_sums_that_no_rows_can_have_are_not_tried(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extrapolation that leads to covariances that are not positive definite is made shorter, by both alike."""
    given_up, maximize = list[bool](), GaussianModel.maximize

    def watched(*given: Any, lift: bool = True) -> Any:
        found, repairs = maximize(*given, lift=lift)
        if not lift:
            given_up.append(bool(repairs))
        return found, repairs

    monkeypatch.setattr(GaussianModel, "maximize", watched)
    problem = problem_of(as_data(overlapping(400, 3)), name, 6)
    kinds = follow(AcceleratedEMStep(problem, 1e-4), problem, 80)
    assert len(kinds) >= 78  # others take more care, near the floor
    assert any(given_up)
    assert not all(given_up)


def test_passes_take_rows_as_they_like() -> None:
    """Passes that look for the homes of rows, as components are apart, and others take turns in one call."""
    with set_threads(1):
        problem = problem_of(as_data(np.random.default_rng(0).normal(size=(2_500, 20))), "full", 12)
        start = first_mixture(problem)
        apart = Mixture.from_parameters(start.weights, start.means, start.covariances / 400.0)
        ahead = made(EMStep(problem), problem)
        one_by_one = ahead.init(apart).film.after
        at_once, frames, _ = ahead.stretch.advance(one_by_one, 20)
        assert len(frames) == 20
        for _ in range(20):
            one_by_one, _, _ = ahead.stretch.advance(one_by_one, 1)
        np.testing.assert_array_equal(at_once, one_by_one)


@pytest.mark.parametrize("name", ["full", "diag"])
def test_rows_that_are_too_many_to_be_laid_out(name: str) -> None:
    """Of more than 2**20 numbers every pass takes the rows as they are."""
    with set_threads(1):
        problem = problem_of(as_data(overlapping(300_000, 3)), name, 2)
        assert len(follow(EMStep(problem), problem, 3)) == 3


@pytest.mark.parametrize("kind", ["weighted", "in several blocks", "float32"])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "VEI"])
def test_rows_are_those_of_a_pass(name: str, kind: str) -> None:
    rows = overlapping(4_500 if kind == "in several blocks" else 400, 2)
    weight = np.random.default_rng(2).integers(0, 3, len(rows)).astype(float) if kind == "weighted" else None
    data = as_data(rows.astype(np.float32) if kind == "float32" else rows, weight)
    assert len(data.blocks) == (3 if kind == "in several blocks" else 1)
    problem = problem_of(data, name, 3)
    assert len(follow(WarmupEM(problem, 1e-4), problem, 40)) >= 35


def with_gaps(rows: Any, share: float = 0.15) -> Any:
    """The rows without some of their values."""
    rows = rows.copy()
    rows[np.random.default_rng(7).uniform(size=rows.shape) < share] = np.nan
    return as_data(as_table(rows, "fiml"))


@pytest.mark.parametrize("kind", ["one block", "several blocks", "rare gaps", "one column"])
@pytest.mark.parametrize("name", NAMES)
def test_rows_may_lack_values(name: str, kind: str) -> None:
    n_rows, d = (4_500 if kind == "several blocks" else 400), (1 if kind == "one column" else 3)
    data = with_gaps(overlapping(n_rows, d), 0.005 if kind == "rare gaps" else 0.15)
    assert data.has_missing
    problem = problem_of(data, name, 3)
    assert len(follow(WarmupEM(problem, 1e-4), problem, 40)) >= 35


@pytest.mark.parametrize("name", NAMES)
def test_runs_over_rows_that_lack_values_end_where_those_of_the_step_end(name: str) -> None:
    assert_same_ends(problem_of(with_gaps(overlapping(500, 2)), name, 3), WarmupEM)


@pytest.mark.parametrize("name", NAMES)
def test_a_stretch_is_its_steps_one_by_one(name: str) -> None:
    problem = problem_of(as_data(overlapping(300, 2)), name, 3)
    ahead = made(AcceleratedEMStep(problem, 1e-4), problem)
    start = ahead.init(first_mixture(problem)).film.after
    after, frames, _ = ahead.stretch.advance(start, 30)
    vector = start
    for frame in frames:
        vector, one, _ = ahead.stretch.advance(vector, 1)
        np.testing.assert_array_equal(one[0], frame)
    if len(frames) == 30:
        np.testing.assert_array_equal(vector, after)


@pytest.mark.parametrize("name", ["full", "tied", "EII", "VVE"])
def test_a_state_survives_the_way_to_the_step_and_back(name: str) -> None:
    assert_survives(problem_of(as_data(overlapping(300, 2)), name, 3))


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("name", NAMES)
def test_runs_end_where_those_of_the_step_end(name: str, make: Any) -> None:
    assert_same_ends(problem_of(as_data(overlapping(500, 2)), name, 3), make)


def test_a_run_that_is_cut_short_ends_with_a_mixture_that_was_judged() -> None:
    problem = problem_of(as_data(overlapping(400, 3)), "full", 4)
    start, never = first_mixture(problem), RemainingGain(400.0, 0.0)
    for max_iter in range(1, 40):
        steps = AcceleratedEMStep(problem, 1e-4), made(AcceleratedEMStep(problem, 1e-4), problem)
        ends = [iterate(begin(one, start), one, never, max_iter) for one in steps]
        assert_same(ends[1].model, ends[0].model, 1e-6)


@pytest.mark.parametrize("make", [EMStep, AcceleratedEMStep, WarmupEM])
@pytest.mark.parametrize("name", NAMES)
def test_passes_that_are_taken_together_are_those_taken_one_by_one(name: str, make: Any) -> None:
    problem = problem_of(as_data(overlapping(400, 2)), name, 3)
    start, stop = first_mixture(problem), RemainingGain(400.0, 1e-3)
    for max_iter in (7, 70, 3_000):
        steps = [stretched(make(problem), problem, stop.tolerance, rule) for rule in (None, stop)]
        one_by_one, together = (iterate(begin(one, start), one, stop, max_iter) for one in steps)
        assert together.trace == one_by_one.trace
        assert len(together.trace.events) <= max_iter
        found, expected = (value_of(one.model) for one in (together, one_by_one))
        np.testing.assert_array_equal(found.means, expected.means)
        np.testing.assert_array_equal(found.covariances, expected.covariances)


@pytest.mark.parametrize("ahead", [-np.inf, -400.0, -20.0, -0.5, 0.0, 3.0, 60.0])
@pytest.mark.parametrize("make", [AcceleratedEMStep, WarmupEM])
def test_races_end_where_they_do_if_each_pass_is_looked_at(make: Any, ahead: float) -> None:
    """The best end so far lies this many nats above that of the run; it is known, or another one is."""
    problem = problem_of(as_data(overlapping(400, 2)), "full", 4)
    start, stop = first_mixture(problem), RemainingGain(400.0, 1e-4)
    step = stretched(make(problem), problem, stop.tolerance)
    end = iterate(begin(step, start), step, stop, 3_000)
    target, outcomes = 400.0 * end.trace.objectives[-1] + ahead, set[Outcome]()
    for near, known, accepted in product((0.0, 10.0), (None, start, value_of(end.model)), (True, False)):
        race = Racing(
            stop, target, 400.0, dict(RACE_SCHEDULE), lambda one, accepted=accepted: accepted, known, near
        )
        steps = (stretched(make(problem), problem, stop.tolerance, rule) for rule in (None, race))
        one_by_one, together = (iterate(begin(one, start), one, race, 3_000) for one in steps)
        assert together.trace == one_by_one.trace
        np.testing.assert_array_equal(value_of(together.model).means, value_of(one_by_one.model).means)
        outcomes.add(together.trace.outcome)
    assert Outcome.ABANDONED in outcomes or ahead < 0.0


@pytest.mark.parametrize("ahead", [-20.0, -0.5, 0.5, 20.0, 200.0, 2_000.0])
def test_a_stretch_ends_where_a_race_looks_at_the_run(ahead: float) -> None:
    """Where it may be coming to the best end so far, or hardly comes close to it by the first look."""
    problem = problem_of(as_data(overlapping(400, 2)), "full", 4)
    start = first_mixture(problem)
    step = stretched(WarmupEM(problem), problem, 0.0)
    end = iterate(begin(step, start), step, RemainingGain(400.0, 1e-4), 3_000)
    target = 400.0 * end.trace.objectives[-1] + ahead
    race = Racing(RemainingGain(400.0, 1e-4), target, 400.0, dict(RACE_SCHEDULE), lambda one: True)
    raced = stretched(WarmupEM(problem), problem, 0.0, race)
    assert isinstance(raced, StretchedEM)
    _, frames, ending = raced.stretch.advance(raced.init(start).film.after, 40, race.race.numbers)
    total = 400.0 * frames[:, 0]
    gains = np.diff(total, prepend=-np.inf)
    lacking, close = target - total, (target - total >= -1e-3) & (target - total <= 1.0)

    def is_behind(i: int) -> bool:
        by_then = 2.0 * max(gains[i], gains[i - 1]) * (10 - i - 1)
        hopeless = 4 <= i + 1 < 10 and lacking[i] > 30.0 and lacking[i] - 5.0 > by_then
        return bool(hopeless or lacking[i] > dict(RACE_SCHEDULE).get(i + 1, np.inf))

    def comes_close(i: int) -> bool:
        return i + 1 >= 4 and bool(close[i] and not (i + 1 > 4 and close[i - 1]))

    ends = [i for i in range(len(total)) if is_behind(i) or comes_close(i)]
    expected = Ending.COMPLETE if not ends else Ending.ABANDONED if is_behind(ends[0]) else Ending.LOOKED_AT
    assert ending is expected
    assert ends == ([] if ending is Ending.COMPLETE else [len(total) - 1])
    assert ending is not Ending.COMPLETE or ahead == -20.0


def test_components_that_close_in_are_left_to_the_step() -> None:
    rows = overlapping(200, 2)
    rows[:60] = rows[0]
    problem = problem_of(as_data(rows), "full", 4)
    start = first_mixture(problem)
    settings = Settings(RemainingGain(200.0, 1e-4), 500, step=AcceleratedEMStep)
    found = continue_fit(problem, start, settings)
    step = AcceleratedEMStep(problem)
    expected = iterate(begin(step, start), step, settings.stop, 500)
    assert found.trace.outcome is expected.trace.outcome
    assert found.lower_bound == pytest.approx(expected.trace.objectives[-1], abs=1e-6)


def test_what_it_does_not_know_is_left_to_the_step() -> None:
    rows = overlapping(200, 2)
    plain = problem_of(as_data(rows), "full", 2)
    others = [
        Problem(plain.data, replace(plain.model, prior=Ridge(1e-6))),
        problem_of(as_data(np.tile(rows, (1, 11))), "full", 2),
    ]
    for problem in others:
        step = EMStep(problem)
        assert stretched(step, problem, 0.0) is step
    assert isinstance(stretched(EMStep(plain), plain, 0.0), StretchedEM)


def test_an_extension_without_stretches_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(as_data(overlapping(200, 2)), "full", 2)
    step = EMStep(problem)
    monkeypatch.setattr(native, "_load", lambda: None)
    assert not compiled.can_advance()
    assert stretched(step, problem, 0.0) is step


def test_arrays_that_do_not_fit_are_refused() -> None:
    problem = problem_of(as_data(overlapping(200, 2)), "full", 2)
    ahead = made(EMStep(problem), problem)
    vector = ahead.init(first_mixture(problem)).film.after
    with pytest.raises(ValueError, match="type or shape"):
        ahead.stretch.advance(vector[:-1], 1)
    with pytest.raises(ValueError, match="type or shape"):
        replace(ahead.stretch, rows=ahead.stretch.rows[:, :1].copy()).advance(vector, 1)
    for order in (np.arange(1, 201), np.arange(-1, 199)):
        with pytest.raises(ValueError, match="row numbers of each block"):
            replace(ahead.stretch, order=order).advance(vector, 1)
