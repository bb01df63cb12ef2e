"""Start from what is given: a partition, soft or hard, or a mixture of any family."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import AccumulateAbout
from mixtura.core.covariance import Factors, get_family
from mixtura.core.covariance.factors import whiten
from mixtura.core.mixture import Mixture
from mixtura.core.moments import FIRST, Moments
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.protocols import RowState
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.steps.em import Problem

__all__ = ["FromMixture", "FromPartition", "join_components", "split_components"]

_HALF_DISTANCE = 0.7
"""Standard deviations from the mean of a component to those of its halves."""

_ALIKE = 1e-6
"""Share of its variance by which an axis is longer than the next, if it is more than rounding makes it."""

_LEAN = 0.5
"""By how much a half has more of every second level, and less of the others."""


class FromPartition:
    """Start from a given partition.

    Parameters
    ----------
    partition : ndarray
        Labels of shape (N,) from 0 to K-1, or responsibilities of shape (N, K), not negative.

    Raises
    ------
    ParameterError
        On `prepare`, where the shape does not fit the rows or a value is out of range.
    """

    def __init__(self, partition: FloatArray | IntArray) -> None:
        self._partition = partition

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        partition = problem.data.state_of(self._checked(problem))

        def finish(problem: Problem) -> InitialStatistics:
            rough = np.repeat(problem.data.mean, problem.model.n_components, axis=0)
            first = self._gather(problem, partition, rough, FIRST)
            counts = np.maximum(first.counts, np.finfo(np.float64).tiny)
            means = rough + first.first / counts[:, None]
            return InitialStatistics(
                self._gather(problem, partition, means, problem.model.structure.moments[-1])
            )

        return finish

    @staticmethod
    def _gather(problem: Problem, partition: RowState, means: FloatArray, moments: Moments) -> Statistics:
        return problem.data.given(means, moments, partition)

    def _checked(self, problem: Problem) -> FloatArray | IntArray:
        given, n, k = self._partition, problem.data.n_rows, problem.model.n_components
        labels = given.ndim == 1 and np.issubdtype(given.dtype, np.integer)
        if given.shape != ((n,) if labels else (n, k)):
            raise ParameterError(
                f"A partition must be whole-number labels of shape {(n,)!r} or responsibilities of shape {(n, k)!r}; "
                f"got shape {given.shape!r} and type {given.dtype.name!r}."
            )
        if not np.isfinite(given).all() or given.min() < 0 or (labels and given.max() >= k):
            raise ParameterError(
                f"Labels must be from 0 to {k - 1!r}, and responsibilities finite and not negative; got values from "
                f"{given.min().item()!r} to {given.max().item()!r}."
            )
        if labels:
            return np.ascontiguousarray(given, dtype=np.intp)
        return np.ascontiguousarray(given, dtype=np.float64)


class FromMixture:
    """Start from the responsibilities that a mixture gives the rows, whatever its covariance family.

    What one family found is a start for another with as many components.

    Parameters
    ----------
    mixture : Mixture
    """

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        mixture = self._mixture

        def finish(problem: Problem) -> InitialStatistics:
            moments, kernel = problem.model.moments[-1], problem.data.kernel
            task = AccumulateAbout(mixture.components(), mixture.means, moments, kernel)
            return InitialStatistics(problem.data.reduce(task), n_passes=1)

        return finish


def join_components(mixture: Mixture, most: int) -> list[Mixture]:
    """Return mixtures of one component less: two components become one, in each of the ways that cost the least.

    The one has their weight, mean, covariance and probabilities of levels; it costs
    ``w log |Sigma| - w_i log |Sigma_i| - w_j log |Sigma_j|``, a bound of twice what it takes away (Runnalls 2007), and
    with discrete columns twice ``w_i KL(theta_i, theta) + w_j KL(theta_j, theta)``, too.

    Parameters
    ----------
    mixture : Mixture
        Of at least two Gaussian components.
    most : int
        Ways to return, the cheapest first.

    Raises
    ------
    NotPositiveDefiniteError
        A covariance has no factor.
    """
    weights, means, full = mixture.weights, mixture.means, mixture.full_covariances()
    pairs = np.array(list(combinations(range(mixture.n_components), 2)))
    total = weights[pairs].sum(axis=1)
    shares = np.where(total > 0, weights[pairs].T / np.where(total > 0, total, 1.0), 0.5).T
    levels = [_joined_levels(mixture.levels, *one) for one in zip(pairs, shares, strict=True)]
    apart = means[pairs] - np.einsum("pk,pki->pi", shares, means[pairs])[:, None]
    spread = full[pairs] + apart[:, :, :, None] * apart[:, :, None, :]
    joined = np.einsum("pk,pkij->pij", shares, spread)
    lost = np.linalg.slogdet(joined)[1] + [2.0 * one for _, one in levels]
    before = (weights * np.linalg.slogdet(full)[1])[pairs].sum(axis=1)
    mixtures = []
    for number in np.argsort(total * lost - before, kind="stable")[:most].tolist():
        both, share = pairs[number], shares[number]
        rest = np.delete(np.arange(mixture.n_components), both)
        covariances = np.concatenate([full[rest], joined[number, None]])
        one = Mixture(
            np.append(weights[rest], weights[both].sum()) / weights.sum(),
            np.vstack([means[rest], share @ means[both]]),
            covariances,
            get_family("full"),
            whiten(covariances),
        )
        if mixture.levels is not None:
            logs = np.column_stack([mixture.levels.logs[:, rest], levels[number][0]])
            one = replace(one, levels=LevelTable(mixture.levels.columns, np.ascontiguousarray(logs)))
        mixtures.append(one)
    return mixtures


def _joined_levels(table: LevelTable | None, both: IntArray, shares: FloatArray) -> tuple[FloatArray, float]:
    """Return the log probabilities of the levels of two components in one, and what of them is lost per row."""
    if table is None:
        return np.empty(0), 0.0
    logs = table.logs[:, both]
    with np.errstate(divide="ignore", invalid="ignore"):
        joined = np.log(np.exp(logs) @ shares)
        apart = np.where(np.isfinite(logs), np.exp(logs) * (logs - joined[:, None]), 0.0)
    joined[-1] = 0.0  # of missing values, to the last digit
    return joined, float((apart @ shares).sum())


def split_components(mixture: Mixture) -> list[Mixture]:
    """Return mixtures of one component more: each component in turn becomes two halves, side by side.

    The halves keep its covariance and lie 0.7 standard deviations to both sides of its mean, along the axis on which
    its columns, each in units of its own deviation, vary most together; where they vary each by itself, as all columns
    vary together over the whole mixture; where that says nothing either, along each column in turn. So units, signs and
    order of the columns make no difference. Of discrete columns both have its levels; where there are some, it is also
    divided by these alone, one half leaning to every second level of each column. Iterating from there finds what a
    start of its own may miss, and does not end below the mixture of fewer components.
    """
    found, covariances = [], mixture.full_covariances()
    apart = mixture.means - mixture.weights @ mixture.means
    between: FloatArray = (mixture.weights[:, None] * apart).T @ apart
    whole = np.einsum("k,kij->ij", mixture.weights, covariances) + between
    for j, covariance in enumerate(covariances):
        if mixture.weights[j] <= 0:
            continue
        found += [_halved(mixture, j, step) for step in _steps_to_halves(covariance, whole)]
        if mixture.levels is not None:
            both = _halved(mixture, j, np.zeros(mixture.n_features))
            found.append(replace(both, levels=_leaning(both.levels, j)))
    return found


def _steps_to_halves(covariance: FloatArray, whole: FloatArray) -> FloatArray:
    """Return how far the halves of a component lie from its mean, one way to divide it per row, (ways, D)."""
    deviations = np.sqrt(covariance.diagonal())
    for one in (covariance, whole):
        scale = np.sqrt(one.diagonal())
        values, axes = np.linalg.eigh(one / (scale[:, None] * scale))
        if len(values) > 1 and values[-1] - values[-2] > _ALIKE * values[-1]:
            reach = _HALF_DISTANCE * np.sqrt(values[-1] if one is covariance else 1.0)
            return np.asarray(reach * axes[None, :, -1] * deviations)
    return np.asarray(_HALF_DISTANCE * np.diag(deviations))


def _halved(mixture: Mixture, j: int, step: FloatArray) -> Mixture:
    """Return the mixture with a component in two halves, the second of which is the last component."""
    family, k = mixture.family, mixture.n_components
    weights = np.concatenate((mixture.weights, mixture.weights[j : j + 1] / 2))
    means = np.concatenate((mixture.means, mixture.means[j : j + 1] + step))
    weights[j] /= 2
    means[j] -= step
    covariances, factors, twice = mixture.covariances, mixture.factors, [*range(k), j]
    if family.storage.per_component:
        covariances = np.concatenate((covariances, covariances[j : j + 1]))
        whitening, logs = factors.whitening, factors.log_determinants
        factors = Factors(np.concatenate((whitening, whitening[j : j + 1])), np.append(logs, logs[j]))
    return Mixture(
        weights,
        means,
        covariances,
        family,
        factors,
        levels=mixture.levels and mixture.levels.of(np.array(twice)),
        background=mixture.background,
        tails=mixture.tails and mixture.tails.of(np.array(twice)),
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
