"""When runs that fall behind are ended."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.core.mixture import Mixture
from mixtura.fit import Outcome, RemainingGain, WithinReach
from mixtura.fit.loop.stopping import Progress
from mixtura.fit.loop.trace import Event
from mixtura.fit.racing import RACE_SCHEDULE, Racing

N_ROWS = 1000.0


def passes_made(gains: np.ndarray, lacking: float) -> tuple[int, Outcome | None]:
    """Return after how many passes a run of given gains, in nats, ends, and how."""
    rule = WithinReach(RemainingGain(N_ROWS), N_ROWS, lacking)
    changes = np.concatenate([[np.inf], gains]) / N_ROWS
    objectives = np.concatenate([[0.0], np.cumsum(gains)]) / N_ROWS - 3.0
    events: tuple[Event, ...] = ()
    for i, (objective, change) in enumerate(zip(objectives, changes, strict=True)):
        events = (*events, Event(i + 1, float(objective), float(change)))
        latest = tuple(one.change for one in events[:-4:-1])
        outcome = rule(Progress(float(objective), latest, float("nan"), -1, i + 1, events=events))
        if outcome is not None:
            return i + 1, outcome
    return len(events), None


@pytest.mark.parametrize("ratio", [0.5, 0.8, 0.95, 0.99])
def test_a_run_that_will_reach_what_it_lacks_is_not_ended(ratio: float) -> None:
    gains = 10 * ratio ** np.arange(4000)
    n_passes, outcome = passes_made(gains, lacking=gains.sum() - 0.05)
    assert outcome is Outcome.CONVERGED
    assert n_passes > np.log(1e-2) / np.log(ratio) / 10


@pytest.mark.parametrize("ratio", [0.8, 0.95, 0.99])
def test_a_run_that_will_not_reach_it_is_ended_early(ratio: float) -> None:
    gains = 10 * ratio ** np.arange(4000)
    n_passes, outcome = passes_made(gains, lacking=20 * gains.sum())
    assert (n_passes, outcome) == (16, Outcome.NOT_REFINED)


def test_gains_that_shrink_like_a_sum_of_inverse_squares_are_granted_all_that_they_gain() -> None:
    gains = 100 / (np.arange(1, 3000) + 1.0) ** 2
    assert passes_made(gains, lacking=100 * (np.pi**2 / 6 - 1))[1] is not Outcome.NOT_REFINED


def test_gains_that_grow_again_as_beyond_a_saddle_are_waited_for() -> None:
    gains = np.concatenate([0.5 ** np.arange(10), 1.3 ** np.arange(20), 1.3**20 * 0.7 ** np.arange(80)])
    assert passes_made(gains, lacking=gains.sum() - 0.05)[1] is Outcome.CONVERGED


def test_it_is_looked_at_again_after_twice_as_many_passes() -> None:
    gains = np.concatenate([np.full(15, 9.0), np.full(8, 5.0), np.full(8, 4.0), 0.98 ** np.arange(99)])
    # After 32 passes the last two quarters gained 40 and 32 nats: 128 are to come, 512 are granted.
    assert passes_made(gains, lacking=gains[:31].sum() + 511) == (64, Outcome.NOT_REFINED)
    assert passes_made(gains, lacking=gains[:31].sum() + 513) == (32, Outcome.NOT_REFINED)


def raced(gains: list[float], behind: float) -> tuple[int, Outcome | None]:
    """Return after how many passes a further start of given gains ends, that begins so far behind the best end."""
    rule = Racing(RemainingGain(N_ROWS), -5000.0, N_ROWS, dict(RACE_SCHEDULE), lambda mixture: True)
    objectives = (np.cumsum([0.0, *gains]) - behind - 5000.0) / N_ROWS
    events: tuple[Event, ...] = ()
    for i, (objective, gain) in enumerate(zip(objectives, [np.inf, *gains], strict=True)):
        events = (*events, Event(i + 1, float(objective), gain / N_ROWS))
        outcome = rule(Progress(float(objective), (), float("nan"), -1, i + 1, events=events))
        if outcome is not None:
            return i + 1, outcome
    return len(events), None


@pytest.mark.parametrize(
    ("gains", "behind", "ended"),
    [
        # After four passes 126 nats are lacking and six passes left: 2 x 10 nats in each, and 5, would not do.
        ([50.0, 10.0, 10.0, 10.0], 70.0 + 126.0, 4),
        # Of 124 nats they would; the next pass gains less.
        ([50.0, 10.0, 10.0, 1.0, 1.0], 70.0 + 124.0, 5),
        # The better of the latest two gains is taken, as one may be small beside a saddle.
        ([50.0, 10.0, 0.5, 0.5], 60.5 + 124.0, 5),
        # Those that lack no more than 30 nats are looked at after ten passes.
        ([0.1] * 12, 30.0, 10),
        ([0.1] * 12, 32.0, 4),
    ],
)
def test_a_start_that_cannot_come_close_is_dropped_early(
    gains: list[float], behind: float, ended: int
) -> None:
    assert raced(gains, behind) == (ended, Outcome.ABANDONED)


def test_a_start_that_comes_close_goes_on() -> None:
    assert raced([40.0, 30.0, 25.0, 20.0, 15.0, 10.0, 5.0, 2.0, 1.0, 0.5], 147.0)[1] is None


def a_mixture(shift: float = 0.0, share: float = 0.5, variance: float = 1.0) -> Mixture:
    means = [[0.0 + shift, 0.0], [5.0, 0.0]]
    return Mixture.from_parameters([share, 1 - share], means, [[variance, 1.0], [1.0, 4.0]], "diag")


def outcome_near_the_end(mixture: Mixture, lacking: float = 0.5, iteration: int = 6) -> Outcome | None:
    """Return how a run ends that lacks some nats, where the end that it is measured against is known."""
    known = a_mixture()
    rule = Racing(RemainingGain(N_ROWS), -5000.0, N_ROWS, dict(RACE_SCHEDULE), lambda mixture: True, known)
    objective = (-5000.0 - lacking) / N_ROWS
    events = tuple(Event(i + 1, objective, 0.1) for i in range(iteration))
    return rule(Progress(objective, (0.1,), float("nan"), -1, iteration, mixture, events=events))


def test_a_run_that_comes_to_an_end_that_is_known_is_not_iterated_to_it() -> None:
    swapped = a_mixture()
    swapped = Mixture.from_parameters(
        swapped.weights[::-1], swapped.means[::-1], swapped.covariances[::-1], "diag"
    )
    for mixture in (a_mixture(), a_mixture(0.09), a_mixture(share=0.52), a_mixture(variance=1.1), swapped):
        assert outcome_near_the_end(mixture) is Outcome.ABANDONED


def test_a_run_goes_on_that_is_elsewhere_or_not_near_the_end_or_above_it() -> None:
    both_on_one = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [0.05, 0.0]], [[1.0, 1.0]] * 2, "diag")
    for mixture in (a_mixture(0.2), a_mixture(share=0.6), a_mixture(variance=1.5), both_on_one):
        assert outcome_near_the_end(mixture) is None
    assert outcome_near_the_end(a_mixture(), lacking=2.0) is None
    assert outcome_near_the_end(a_mixture(), lacking=-0.1) is None
    assert outcome_near_the_end(a_mixture(), iteration=3) is None


@pytest.mark.parametrize("covariance_type", ["tied", "EII", "spherical", "full"])
def test_an_end_is_known_again_in_every_storage(covariance_type: str) -> None:
    covariances = {
        "tied": np.eye(2),
        "EII": np.ones((2, 2)),
        "spherical": np.ones(2),
        "full": [np.eye(2)] * 2,
    }
    known, other = (
        Mixture.from_parameters(
            [0.5, 0.5], [[x, 0.0], [5.0, 0.0]], covariances[covariance_type], covariance_type
        )
        for x in (0.0, 0.2)
    )
    rule = Racing(RemainingGain(N_ROWS), -5000.0, N_ROWS, dict(RACE_SCHEDULE), lambda mixture: True, known)
    events = tuple(Event(i + 1, -5.0, 0.1) for i in range(6))
    assert rule(Progress(-5.0, (0.1,), np.nan, -1, 6, known, events=events)) is Outcome.ABANDONED
    assert rule(Progress(-5.0, (0.1,), np.nan, -1, 6, other, events=events)) is None
