"""Runs on many samples of as many rows, made from their starts to their ends in one compiled call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.covariance.algebra.refinement import are_ill_conditioned
from mixtura.core.floor import CovarianceFloor
from mixtura.core.mixture import Mixture
from mixtura.fit.loop.state import Deferred
from mixtura.fit.restarts import Settings
from mixtura.fit.steps.em import Problem
from mixtura.fit.steps.stretched import StretchedEM
from mixtura.kernels.iterations.stretch import Ending, Samples, can_finish

__all__ = ["RunEnd", "SampleRuns", "SampleTables"]


class SampleTables(NamedTuple):
    """Samples of as many rows each, and their moments.

    Parameters
    ----------
    rows : ndarray of shape (S, N, D), float64, C-contiguous
        Complete and finite.
    means : ndarray of shape (S, D)
    scatters : ndarray of shape (S, D, D)
        About the means.
    """

    rows: FloatArray
    means: FloatArray
    scatters: FloatArray

    @classmethod
    def of(cls, rows: FloatArray) -> SampleTables:
        """Find the moments of samples (S, N, D)."""
        means = rows.mean(axis=1)
        apart = rows - means[:, None]
        return cls(rows, means, apart.swapaxes(1, 2) @ apart)

    @property
    def covariances(self) -> FloatArray:
        """Of each sample, (S, D, D)."""
        return np.asarray(self.scatters / self.rows.shape[1])


class RunEnd(NamedTuple):
    """Where a run has come to.

    Parameters
    ----------
    log_likelihood : float
        Of all rows, in nats.
    mixture : Mixture, or a deferred one
    """

    log_likelihood: float
    mixture: Mixture | Deferred[Mixture]


@dataclass(frozen=True, slots=True, eq=False)
class SampleRuns:
    """Runs on samples: to where the loop comes with the same step and rule, as long as nothing has to be decided.

    Parameters
    ----------
    step : StretchedEM
        That of the loop on the first sample; the others differ from it by their rows, floor and total scatter.
    samples : Samples
    max_iter : int
    """

    step: StretchedEM
    samples: Samples
    max_iter: int

    @classmethod
    def of(
        cls, problem: Problem, settings: Settings, tables: SampleTables, floors: CovarianceFloor | None
    ) -> SampleRuns | None:
        """Return the runs of a problem on its samples; None where compiled code does not make them.

        Parameters
        ----------
        problem : Problem
            Of the first sample.
        settings : Settings
            Their rule is that of every sample.
        tables : SampleTables
        floors : CovarianceFloor, optional
            Of all samples, where the prior has one.
        """
        step = settings.step_for(problem)
        if not can_finish() or not isinstance(step, StretchedEM) or not step.stretch.finishes:
            return None
        bounds = None if floors is None else np.ascontiguousarray(floors.bound(step.stretch.places.form))
        pooled = step.stretch.total is not None
        total = (tables.means, tables.scatters) if pooled else (None, None)
        return cls(step, Samples(tables.rows, bounds, *total), settings.max_iter)

    def ends(self, starts: Sequence[Mixture], numbers: IntArray) -> list[RunEnd | None]:
        """Return where each start leads to; None where the loop has to decide.

        Parameters
        ----------
        starts : sequence of Mixture
        numbers : ndarray of shape (R,)
            The sample of each.
        """
        states = self.step.states
        packed = {key: states.pack_model(one) for key, one in {id(one): one for one in starts}.items()}
        begun = np.array([packed[id(one)] for one in starts])
        ends, found = self.step.stretch.finish(self.samples, numbers, begun, self.max_iter)
        sound = (found[:, 2] == Ending.SATISFIED) & np.isfinite(found[:, 0]) & self._are_precise(ends)
        each = zip(found[:, 0].tolist(), ends, sound.tolist(), strict=True)
        return [
            RunEnd(value, Deferred(states.mixture, end)) if good and self._is_evaluated_so(end) else None
            for value, end, good in each
        ]

    def _are_precise(self, ends: FloatArray) -> BoolArray:
        """Return which ends have factors that need not be refined, (R,)."""
        places = self.step.stretch.places
        if places.form.diagonal:
            return np.ones(len(ends), dtype=bool)
        _, _, covariances, whitening, *_ = places.model_of(ends)
        ill = are_ill_conditioned(covariances, whitening)
        return np.asarray(~ill.reshape(len(ends), -1).any(axis=1))

    def _is_evaluated_so(self, end: FloatArray) -> bool:
        """Return whether an end is evaluated as passes of the runs evaluate it: not where means lie far apart."""
        if self.samples.scatters is None:
            return True
        return self.step.stretch.places.serves(self.step.states.mixture(end).components())
