"""How one model of a search is fitted: on a sample first where there are many rows, then on all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.covariance import get_family
from mixtura.core.prior import Ridge
from mixtura.core.protocols import Runner
from mixtura.core.statistics import Statistics
from mixtura.data import ArrayBlocks
from mixtura.exceptions import MixturaError
from mixtura.fit import (
    INITIALIZATIONS,
    FitResult,
    Outcome,
    Problem,
    RemainingGain,
    Settings,
    continue_fit,
    describe_rows,
    fit_mixture,
    score_mixture,
)
from mixtura.kernels import Kernel, Layout, get_kernel
from mixtura.run import SerialRunner, get_runner, hold_blas
from mixtura.select.candidate import Candidate

__all__ = ["SAMPLE_ROWS", "Fitter"]

SAMPLE_ROWS = 50_000
"""Above so many rows, models are found on a random sample of so many and then brought to all rows."""

_MAX_ITER = 1000

_COARSE = 0.5
"""Nats that a fit may leave to be gained on a sample: far less than what another sample would change."""

_ADVANCE = 4
"""Passes over all rows that every model makes; the best few go on to the end."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Rows that models are fitted to, and their total scatter."""

    blocks: ArrayBlocks
    total: Statistics


class Fitter:
    """Fits models to one table, all in the same way.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    weights : ndarray of shape (N,), optional
    prior : Ridge
    n_init : int
        Starts per model.
    random_state : int
        Seed of every model, and of the sample.
    sample_rows : int
    """

    def __init__(
        self,
        rows: RowArray,
        weights: FloatArray | None,
        *,
        prior: Ridge,
        n_init: int,
        random_state: int,
        sample_rows: int = SAMPLE_ROWS,
    ) -> None:
        self._rows, self._weights, self._prior = rows, weights, prior
        self._n_init, self._seed, self._sample_rows = n_init, random_state, sample_rows
        self._kernel: Kernel = get_kernel(n_features=rows.shape[1])
        self._runner: Runner = get_runner()
        self.n_rows = ArrayBlocks(rows, weights).total_weight

    @cached_property
    def _all(self) -> _Level:
        return self._level(self._rows, self._weights)

    @cached_property
    def _first(self) -> _Level:
        """The rows that models are found on: a sample, or where there are few all."""
        rows, weights = self._rows, self._weights
        if not self.samples:
            return self._all
        rng = np.random.RandomState(self._seed)
        chosen = np.sort(rng.choice(len(rows), self._sample_rows, replace=False))
        return self._level(rows[chosen], None if weights is None else weights[chosen])

    @property
    def samples(self) -> bool:
        """Whether models are found on a sample."""
        return len(self._rows) > self._sample_rows

    def _level(self, rows: RowArray, weights: FloatArray | None) -> _Level:
        blocks = ArrayBlocks(rows, weights)
        return _Level(blocks, describe_rows(blocks, self._kernel, self._runner, Layout.DENSE))

    def _problem(self, level: _Level, family: str, k: int) -> Problem:
        found = get_family(family)
        total = level.total if found.layouts[0] is Layout.SHARED else None
        return Problem(level.blocks, k, found, self._prior, self._kernel, self._runner, total)

    def attempt(self, family: str, k: int) -> Candidate:
        """Return a candidate: finished, or where models are found on a sample, advanced on all rows."""
        begun = perf_counter()
        try:
            with hold_blas(self._kernel.name == "numpy"):
                result = self._fit(family, k)
                return self._candidate(family, k, result, begun)
        except MixturaError as error:
            missing = (np.nan,) * 4
            size = self._n_parameters(family, k)
            seconds = perf_counter() - begun
            return Candidate(family, k, size, self.n_rows, *missing, None, None, seconds, failure=str(error))

    def finish(self, candidate: Candidate) -> Candidate:
        """Return a candidate that was only advanced, iterated to its end on all rows."""
        begun = perf_counter()
        assert candidate.result is not None, "a candidate that failed cannot be finished"
        family, k = candidate.covariance_type, candidate.n_components
        with hold_blas(self._kernel.name == "numpy"):
            result = self._continue(self._all, family, candidate.result, _MAX_ITER)
            finished = self._candidate(family, k, result, begun)
        return replace(
            finished,
            seconds=candidate.seconds + finished.seconds,
            single_log_likelihood=candidate.single_log_likelihood,
        )

    def _fit(self, family: str, k: int) -> FitResult:
        level = self._first
        tolerance = _COARSE if self.samples else 0.01
        found = fit_mixture(
            self._problem(level, family, k),
            INITIALIZATIONS["kmeans"],
            Settings(RemainingGain(level.blocks.total_weight, tolerance), _MAX_ITER),
            serial=SerialRunner(),
            n_init=self._n_init,
            random_state=np.random.RandomState(self._seed),
        )
        return self._continue(self._all, family, found, _ADVANCE) if self.samples else found

    def _continue(self, level: _Level, family: str, found: FitResult, max_iter: int) -> FitResult:
        """Return a fit that goes on from where another ended, on the rows of a level."""
        problem = self._problem(level, family, found.mixture.n_components)
        settings = Settings(RemainingGain(level.blocks.total_weight), max_iter)
        result = continue_fit(problem, found.mixture, settings)
        if max_iter == _ADVANCE and not result.converged:
            result = replace(result, outcome=Outcome.SET_ASIDE)
        seconds = {phase: found.seconds[phase] + result.seconds[phase] for phase in result.seconds}
        return replace(result, seconds=seconds, notes=found.notes)

    def _candidate(self, family: str, k: int, result: FitResult, begun: float) -> Candidate:
        score = score_mixture(self._all.blocks, result.mixture, self._kernel, self._runner)
        measured = (score.log_likelihood, score.entropy, score.classification_entropy, np.nan)
        size, seconds = self._n_parameters(family, k), perf_counter() - begun
        return Candidate(family, k, size, self.n_rows, *measured, result.mixture, result, seconds)

    def _n_parameters(self, family: str, k: int) -> int:
        n_features = int(self._rows.shape[1])
        return k - 1 + k * n_features + get_family(family).n_parameters(k, n_features)
