"""A run that is interrupted, saved and continued is the run that was not, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.level_models import CATEGORICAL, NEGATIVE_BINOMIAL
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.exceptions import DataError
from mixtura.fit import AcceleratedEMStep, EMStep, PassKind, Problem, RemainingGain
from mixtura.fit.checkpoint import from_arrays, load_state, save_state, to_arrays
from mixtura.fit.loop.driver import LoopResult, iterate
from mixtura.fit.loop.state import LoopState, begin
from mixtura.fit.steps.warmup import WarmupEM

STEPS = {"plain": EMStep, "accelerated": AcceleratedEMStep, "warm-up": WarmupEM}


def problem_of(family: str) -> Problem:
    """Three groups that overlap, so that EM is slow and extrapolations are tried, kept and rejected."""
    rng = np.random.RandomState(3)
    rows = rng.standard_normal((500, 2)) + 1.2 * rng.randint(3, size=(500, 1))
    return Problem(as_data(rows), GaussianModel(3, get_family(family), Ridge(1e-6)))


def start_of(family: str) -> Mixture:
    means, identity = [[0.0, 0.5], [1.0, 1.2], [2.5, 2.0]], np.eye(2)
    covariances = {"full": [identity] * 3, "diag": np.ones((3, 2)), "tied": identity}[family]
    return Mixture.from_parameters([0.3, 0.3, 0.4], means, covariances, family)


def equal(one: LoopResult[Mixture], other: LoopResult[Mixture]) -> None:
    assert one.trace == other.trace
    np.testing.assert_array_equal(one.model.means, other.model.means)
    np.testing.assert_array_equal(one.model.covariances, other.model.covariances)
    np.testing.assert_array_equal(one.model.weights, other.model.weights)


STOP, LIMIT = RemainingGain(500.0, 1e-6), 120


@pytest.mark.parametrize("family", ["full", "diag", "tied"])
@pytest.mark.parametrize("name", STEPS)
def test_a_run_goes_on_from_a_file_to_the_last_bit(name: str, family: str, tmp_path: Path) -> None:
    step: Any = STEPS[name](problem_of(family))
    paths: list[Path] = []

    def save(event: Any, state: LoopState[Mixture, Any]) -> None:
        if event.iteration in (1, 2, 7, 16, 17, 20, 23, 31, 45):
            paths.append(tmp_path / f"{event.iteration}.npz")
            save_state(state, paths[-1])

    whole = iterate(begin(step, start_of(family)), step, STOP, LIMIT, observe=save)
    assert len(paths) > 3
    if name != "plain":
        assert whole.trace.count(PassKind.EXTRAPOLATED) > 0
    for path in paths:
        again: Any = STEPS[name](problem_of(family))
        equal(iterate(load_state(path), again, STOP, LIMIT), whole)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("tails", [None, StudentTails()], ids=["noise", "noise and t"])
def test_noise_and_degrees_of_freedom_are_kept(tails: StudentTails | None, tmp_path: Path) -> None:
    problem = problem_of("full")
    noise = measure_background(problem.data)
    model = replace(problem.model, background=noise, tails=tails)
    step, path = AcceleratedEMStep(replace(problem, model=model)), tmp_path / "state.npz"

    def save(event: Any, state: LoopState[Mixture, Any]) -> None:
        if event.iteration == 3:
            save_state(state, path)

    whole = iterate(begin(step, model.begin_from(start_of("full"))), step, STOP, 8, observe=save)
    again = iterate(load_state(path), AcceleratedEMStep(replace(problem, model=model)), STOP, 8)
    equal(again, whole)
    assert again.model.background is not None
    assert whole.model.background is not None
    assert again.model.background.weight == whole.model.background.weight
    assert (again.model.tails is None) == (tails is None)


def test_levels_of_discrete_columns_are_kept(tmp_path: Path) -> None:
    rng = np.random.RandomState(3)
    group = rng.randint(3, size=500)
    rows = rng.standard_normal((500, 2)) + 1.2 * group[:, None]
    levels = np.column_stack(
        [rng.poisson(1 + group), (rng.uniform(size=500) < 0.2 + 0.2 * group).astype(int)]
    )
    shares = tuple(np.append(np.bincount(column), 0.0) / 500 for column in levels.T)
    discrete = DiscreteColumns((NEGATIVE_BINOMIAL, CATEGORICAL), shares)
    data = as_data(MixedRows(rows, discrete.numbered(levels), discrete))
    problem = Problem(data, GaussianModel(3, get_family("full"), Ridge(1e-6), discrete))
    paths: list[Path] = []

    def save(event: Any, state: LoopState[Mixture, Any]) -> None:
        if event.iteration in (1, 3, 9, 20):
            paths.append(tmp_path / f"{event.iteration}.npz")
            save_state(state, paths[-1])

    step = AcceleratedEMStep(problem)
    first = problem.model.begin_from(start_of("full"))
    whole = iterate(begin(step, first), step, STOP, LIMIT, observe=save)
    assert len(paths) > 2
    for path in paths:
        again = iterate(load_state(path), AcceleratedEMStep(problem), STOP, LIMIT)
        equal(again, whole)
        assert again.model.levels is not None
        assert whole.model.levels is not None
        np.testing.assert_array_equal(again.model.levels.logs, whole.model.levels.logs)


def states(family: str = "full") -> list[LoopState[Mixture, Any]]:
    step, found = AcceleratedEMStep(problem_of(family)), list[LoopState[Mixture, Any]]()
    iterate(
        begin(step, start_of(family)), step, STOP, LIMIT, observe=lambda event, state: found.append(state)
    )
    return found


def test_a_state_is_not_changed_by_the_passes_after_it() -> None:
    """Every state that an observer has seen still leads to the same end, in whatever order they are continued."""
    kept = states()
    step = AcceleratedEMStep(problem_of("full"))
    ends = [iterate(state, step, STOP, LIMIT) for state in (kept[20], kept[5], kept[20])]
    equal(ends[0], ends[2])
    equal(ends[0], ends[1])


def test_what_stands_in_several_places_is_saved_once_and_stays_one() -> None:
    pairs = ((state, state.step.history) for state in states())
    state = next(one for one, known in pairs if len(known) > 5 and known[-1][0] is known[-2][1])
    again = from_arrays(to_arrays(state))
    assert again.step.history[-1][0] is again.step.history[-2][1]
    assert len(to_arrays(state)) < 120


def test_a_ridge_that_may_cost_something_is_saved_as_a_number() -> None:
    state = states()[3]
    again = from_arrays(to_arrays(state))
    assert callable(state.ascent.allowance)
    assert again.ascent.allowance == state.ascent.allowance()


def test_an_interrupted_write_leaves_the_file_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, (one, other, *_) = tmp_path / "state.npz", states()
    save_state(one, path)
    before = path.read_bytes()

    def fail(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", fail)
        with pytest.raises(KeyboardInterrupt):
            save_state(other, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    save_state(other, path)
    assert len(load_state(path).events) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda arrays: arrays.pop("tree"),
        lambda arrays: arrays.update(tree=np.array("{")),
        lambda arrays: arrays.update(tree=np.array('{"format": 99, "state": null}')),
        lambda arrays: arrays.update(tree=np.array('{"format": 1, "state": null}')),
        lambda arrays: arrays.pop(max(arrays)),
    ],
)
def test_other_arrays_are_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    arrays = dict(to_arrays(states()[3]))
    spoil(arrays)
    with pytest.raises(DataError, match="`arrays` must be"):
        from_arrays(arrays)


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 broken"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="`path` must be a file of `save_state`"):
        load_state(path)


def test_states_of_other_steps_are_refused() -> None:
    state = states()[0]
    with pytest.raises(DataError, match="must be of steps of EM; got one with a set"):
        to_arrays(LoopState({1}, state.model, 0.0, state.ascent))
