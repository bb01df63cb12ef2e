"""Plain EM first, acceleration afterwards: which step made each pass, and that both lead on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import AcceleratedEMStep, EMStep, PassKind, Problem, RemainingGain
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.steps.warmup import WarmupEM

PLAIN = 16


def problem() -> Problem:
    """Two groups that overlap, so that EM is slow."""
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((400, 2)) + 1.5 * rng.randint(2, size=(400, 1))
    return Problem(as_data(rows), GaussianModel(2, get_family("full"), Ridge(0.0)))


def start() -> Mixture:
    return Mixture.from_parameters(
        np.array([0.5, 0.5]), np.array([[0.0, 0.5], [1.0, 1.0]]), np.stack([np.eye(2)] * 2), "full"
    )


def models(step: Any, count: int) -> list[Mixture]:
    found, state = [start()], step.init(start())
    for _ in range(count):
        state, move = step(state)
        found.append(move.model)
    return found


def test_the_first_passes_are_plain_to_the_last_bit() -> None:
    for one, plain in zip(models(WarmupEM(problem()), PLAIN), models(EMStep(problem()), PLAIN), strict=True):
        np.testing.assert_array_equal(one.means, plain.means)
        np.testing.assert_array_equal(one.covariances, plain.covariances)


def test_the_passes_after_them_are_those_of_acceleration_from_there() -> None:
    mixed, accelerated, kinds = WarmupEM(problem(), 1e-6), AcceleratedEMStep(problem(), 1e-6), set()
    state = mixed.init(start())
    for _ in range(PLAIN):
        state, move = mixed(state)
    other = accelerated.init(move.model)
    for _ in range(20):
        state, move = mixed(state)
        other, expected = accelerated(other)
        np.testing.assert_array_equal(move.model.means, expected.model.means)
        assert (move.objective, move.kind) == (expected.objective, expected.kind)
        kinds.add(move.kind)
    assert kinds != {PassKind.PLAIN}


def test_it_reaches_the_maximum_of_plain_em_in_fewer_passes() -> None:
    runs = [
        iterate(begin(step, start()), step, RemainingGain(400.0, 1e-6), 5000)
        for step in (WarmupEM(problem(), 1e-6), EMStep(problem()))
    ]
    mixed, plain = (run.trace for run in runs)
    assert mixed.converged
    assert plain.converged
    assert PLAIN < len(mixed.events) < len(plain.events) / 2
    assert {event.kind for event in mixed.events[:PLAIN]} == {PassKind.PLAIN}
    assert mixed.objectives[-1] * 400 == pytest.approx(plain.objectives[-1] * 400, abs=1e-4)
