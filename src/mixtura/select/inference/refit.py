"""Fits of many samples, each from a mixture that is near: warm starts, on one worker each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.accumulate import pass_work
from mixtura.core.covariance import Structure
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.parts.known_labels import known_levels
from mixtura.core.protocols import MixedRows, RowTable, Runner
from mixtura.exceptions import DataError, MixturaError
from mixtura.fit import (
    AcceleratedEMStep,
    FitResult,
    Problem,
    RemainingGain,
    Settings,
    continue_fit,
    log_likelihood,
)
from mixtura.select.model_search.robustness import Robustness
from mixtura.select.priors import PriorName, make_prior

__all__ = ["Refit", "generator", "require_free", "runner_for", "runner_for_family", "split_components"]

_MAX_ITER = 1000

_WORTH_THREADS = 2e6
"""Floating-point operations of a pass, about a tenth of a millisecond: as long as the interpreter takes between two."""

_HALF_DISTANCE = 0.7
"""Standard deviations from the mean of a component to those of its halves."""

_LEAN = 0.5
"""By how much a half has more of every second level, and less of the others."""


@dataclass(frozen=True, slots=True)
class Refit:
    """How samples are fitted: until less than the tolerance of the total log-likelihood is to be gained.

    Parameters
    ----------
    prior : {"floor", "conjugate"} or float, default="floor"
        What keeps covariances from collapsing, see `search`; estimated again from each sample.
    tolerance : float, default=0.01
        In nats. A fit that is g nats from its top is up to ``sqrt(2 g)`` standard errors from it.
    """

    prior: PriorName | float = "floor"
    tolerance: float = 0.01

    def from_mixture(self, data: Data, start: Mixture) -> FitResult:
        """Fit from a given mixture: a warm start.

        Parameters
        ----------
        data : Data
        start : Mixture
        """
        problem = self._problem(data, start)
        return continue_fit(problem, start, self._settings(problem))

    def best(self, data: Data, starts: Sequence[Mixture]) -> tuple[float, Mixture]:
        """Return the largest log-likelihood that the starts lead to, in nats, and its mixture.

        Every start is finished: which one is ahead after a few iterations says little where likelihoods are flat, and
        a test would see smaller statistics than it should.

        Parameters
        ----------
        data : Data
        starts : sequence of Mixture
            Of one family and as many components.

        Raises
        ------
        MixturaError
            No fit succeeds; the message gives the first reason.
        """
        problem = self._problem(data, starts[0])
        ends, errors = list[tuple[float, Mixture]](), list[MixturaError]()
        for start in starts:
            try:
                found = continue_fit(problem, start, self._settings(problem)).mixture
            except MixturaError as error:
                errors.append(error)
            else:
                ends.append((log_likelihood(data, found), found))
        if not ends:
            raise errors[0]
        return max(ends, key=lambda end: end[0])

    def _problem(self, data: Data, start: Mixture) -> Problem:
        prior = make_prior(self.prior, data.total, start.n_components)
        terms = Robustness.of(start)
        model = GaussianModel(
            start.n_components, start.family, prior, data.discrete, terms.background, terms.tails
        )
        return Problem(data, model)

    def _settings(self, problem: Problem) -> Settings:
        stop = RemainingGain(problem.data.total_weight, self.tolerance, problem.model.prior.ridge > 0)
        return Settings(stop, _MAX_ITER, step=partial(AcceleratedEMStep, tolerance=self.tolerance))


def runner_for(data: Data, mixture: Mixture) -> Runner:
    """Return with what many fits of as many rows run side by side; the results are the same.

    A pass over few rows is over before the interpreter has prepared the next one, and holds its lock meanwhile: then
    threads only pass it back and forth.
    """
    return runner_for_family(data, mixture.family, mixture.n_components)


def runner_for_family(data: Data, family: Structure, n_components: int) -> Runner:
    """Return the same before there is a mixture."""
    work = pass_work(family.moments[0].layout, data.n_rows, n_components, data.n_features)
    return data.runner if work > _WORTH_THREADS else data.runner.alone()


def generator(seed: np.random.SeedSequence) -> np.random.RandomState:
    """Return a generator of its own for one sample, so that samples do not depend on who draws them when."""
    return np.random.RandomState(np.random.MT19937(seed))


def require_free(rows: RowTable) -> None:
    """Raise `DataError` where rows are known to belong to a component, which rows of a sample are not."""
    if isinstance(rows, MixedRows) and known_levels(rows.discrete) is not None:
        raise DataError(
            "Rows must not be known to belong to a component; some are. Give the rows without what is known of them."
        )


def split_components(mixture: Mixture) -> list[Mixture]:
    """Return mixtures of one component more: each component in turn becomes two halves, side by side.

    The halves keep its covariance and lie 0.7 standard deviations to both sides of its mean, along the axis on which
    its columns, each in units of its own deviation, vary most together. Of discrete columns both have its levels; where
    there are some, it is also divided by these alone, one half leaning to every second level of each column. Iterating
    from there finds what a start of its own may miss, and does not end below the mixture of fewer components.
    """
    found = []
    for j, covariance in enumerate(mixture.full_covariances()):
        if mixture.weights[j] <= 0:
            continue
        if mixture.n_features:
            found.append(_halved(mixture, j, _step_to_halves(covariance)))
        if mixture.levels is not None:
            both = _halved(mixture, j, np.zeros(mixture.n_features))
            found.append(replace(both, levels=_leaning(both.levels, j)))
    return found


def _step_to_halves(covariance: FloatArray) -> FloatArray:
    """Return how far the halves of a component lie from its mean, (D,)."""
    scale = np.sqrt(covariance.diagonal())
    values, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
    return np.asarray(_HALF_DISTANCE * np.sqrt(values[-1]) * axes[:, -1] * scale)


def _halved(mixture: Mixture, j: int, step: FloatArray) -> Mixture:
    """Return the mixture with a component in two halves, the second of which is the last component."""
    family, k = mixture.family, mixture.n_components
    weights = np.append(mixture.weights, mixture.weights[j] / 2)
    means = np.vstack([mixture.means, mixture.means[j] + step])
    weights[j] /= 2
    means[j] -= step
    stored = mixture.covariances
    covariances = np.concatenate([stored, stored[j : j + 1]]) if family.storage.per_component else stored
    factors = family.storage.factor(covariances, k + 1, mixture.n_features)
    split, twice = Mixture(weights, means, covariances, family, factors), np.append(np.arange(k), j)
    return replace(
        split,
        background=mixture.background,
        tails=mixture.tails and mixture.tails.of(twice),
        levels=mixture.levels and mixture.levels.of(twice),
    )


def _leaning(table: LevelTable | None, j: int) -> LevelTable | None:
    """Return a table in which component j has more of every second level of each column, and the last one less."""
    if table is None:
        return None
    logs, starts = table.logs.copy(), table.columns.starts
    for begin, end in pairwise(starts.tolist()):
        signs = np.where(np.arange(end - begin) % 2, -1.0, 1.0)
        for k, sign in ((j, signs), (logs.shape[1] - 1, -signs)):
            leaning = np.exp(logs[begin:end, k]) * (1.0 + _LEAN * sign)
            with np.errstate(divide="ignore"):
                logs[begin:end, k] = np.log(leaning / leaning.sum())
    return LevelTable(table.columns, logs)
