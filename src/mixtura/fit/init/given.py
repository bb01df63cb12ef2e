"""Start from what is given: a partition, soft or hard, or a mixture of any family."""

from __future__ import annotations

from itertools import combinations
from operator import itemgetter

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import AccumulateAbout
from mixtura.core.mixture import Mixture
from mixtura.core.moments import FIRST, Moments
from mixtura.core.protocols import RowState
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.fit.init.base import Initializer, InitialStatistics
from mixtura.fit.steps.em import Problem

__all__ = ["FromMixture", "FromPartition", "join_components"]


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

    The one has their weight, mean and covariance; it costs ``w log |Sigma| - w_i log |Sigma_i| - w_j log |Sigma_j|``,
    a bound of twice what it takes away (Runnalls 2007). Of Gaussian components of continuous columns alone.

    Parameters
    ----------
    mixture : Mixture
        Of at least two components.
    most : int
        Ways to return, the cheapest first.
    """
    weights, means, full = mixture.weights, mixture.means, mixture.full_covariances()
    losses = weights * np.linalg.slogdet(full)[1]
    found = list[tuple[float, list[int], FloatArray, FloatArray]]()
    for both in map(list, combinations(range(mixture.n_components), 2)):
        weight = weights[both].sum()
        shares = weights[both] / weight if weight > 0 else np.array([0.5, 0.5])
        mean = shares @ means[both]
        apart = means[both] - mean
        joined = np.einsum("k,kij->ij", shares, full[both] + apart[:, :, None] * apart[:, None, :])
        cost = float(weight * np.linalg.slogdet(joined)[1] - losses[both].sum())
        found.append((cost, both, mean, joined))
    mixtures = []
    for _, both, mean, joined in sorted(found, key=itemgetter(0))[:most]:
        rest = np.delete(np.arange(mixture.n_components), both)
        parameters = (
            np.append(weights[rest], weights[both].sum()) / weights.sum(),
            np.vstack([means[rest], mean]),
            np.concatenate([full[rest], joined[None]]),
        )
        mixtures.append(Mixture.from_parameters(*parameters, "full"))
    return mixtures
