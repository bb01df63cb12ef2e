"""How one model of a search is fitted: on few rows first, from there on more, in the end on all of them.

What a few thousand rows tell of a mixture takes most of the iterations; every further level begins near its end. The
smaller levels only choose where to begin: likelihoods are of all rows.
"""

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

_FEWEST_ROWS = 2_000
_ROWS_PER_PARAMETER = 10
"""The first level has so many rows per free parameter, and no fewer than 2,000."""

_LARGER = 2
"""A level has at least so many times the rows of the one before."""

_MAX_ITER = 1000

_COARSE = 0.5
"""Nats that a fit may leave to be gained before the last level: far less than what another sample would change."""

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
        self._parts: dict[int, _Level] = {}
        self._kernel: Kernel = get_kernel(n_features=rows.shape[1])
        self._runner: Runner = get_runner()
        self.n_rows = ArrayBlocks(rows, weights).total_weight

    @cached_property
    def _all(self) -> _Level:
        return self._level(self._rows, self._weights)

    @cached_property
    def _shuffled(self) -> tuple[RowArray, FloatArray | None]:
        """The sample in random order, so that its first rows are samples too."""
        rng = np.random.RandomState(self._seed)
        chosen = rng.permutation(len(self._rows))[: self._sample_rows]
        return self._rows[chosen], None if self._weights is None else self._weights[chosen]

    @property
    def samples(self) -> bool:
        """Whether models are found on a sample, and only the best few iterated to their ends on all rows."""
        return len(self._rows) > self._sample_rows

    def _levels(self, n_parameters: int) -> list[_Level]:
        """Return the levels that a model of so many free parameters goes through before all rows."""
        n_rows = len(self._rows)
        first = max(_FEWEST_ROWS, _ROWS_PER_PARAMETER * n_parameters)
        sizes = [2 ** int(np.ceil(np.log2(first)))]
        if self.samples:
            sizes = [size for size in sizes if _LARGER * size <= self._sample_rows] + [self._sample_rows]
        return [self._part(size) for size in sizes if _LARGER * size <= n_rows or size == self._sample_rows]

    def _part(self, size: int) -> _Level:
        if size not in self._parts:
            rows, weights = self._shuffled
            self._parts[size] = self._level(rows[:size], None if weights is None else weights[:size])
        return self._parts[size]

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
        levels = self._levels(self._n_parameters(family, k))
        first, further = (levels or [self._all])[0], levels[1:]
        found = fit_mixture(
            self._problem(first, family, k),
            INITIALIZATIONS["kmeans"],
            self._settings(first),
            serial=SerialRunner(),
            n_init=self._n_init,
            random_state=np.random.RandomState(self._seed),
        )
        for level in further:
            found = self._continue(level, family, found, _MAX_ITER)
        return (
            self._continue(self._all, family, found, _ADVANCE if self.samples else _MAX_ITER)
            if levels
            else found
        )

    def _settings(self, level: _Level, max_iter: int = _MAX_ITER) -> Settings:
        weight = level.blocks.total_weight
        return Settings(RemainingGain(weight, 0.01 if level is self._all else _COARSE), max_iter)

    def _continue(self, level: _Level, family: str, found: FitResult, max_iter: int) -> FitResult:
        """Return a fit that goes on from where another ended, on the rows of a level."""
        problem = self._problem(level, family, found.mixture.n_components)
        result = continue_fit(problem, found.mixture, self._settings(level, max_iter))
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
