"""Components of an earlier mixture that stay as they are, while others are learned beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import Factors, Structure, get_family
from mixtura.core.maximize import Repair, maximize
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.prior import Prior
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError

__all__ = ["KeptComponents"]


@dataclass(frozen=True, slots=True, eq=False)
class KeptComponents:
    """Components of an earlier mixture, which stay to the last bit; only their weights are estimated.

    They are the first of a mixture, those that are learned follow. As the latter may have any covariance structure
    while the former have their own, all are held as matrices, ``full``.

    Parameters
    ----------
    mixture : Mixture
        Of Gaussian components; their weights do not matter.

    Raises
    ------
    ParameterError
        It has noise or t components.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.core.parts.kept_components import KeptComponents
    >>> kept = KeptComponents(Mixture.from_parameters([1.0], [[0.0, 0.0]], [2.0], "spherical"))
    >>> kept.n_components, kept.full.covariances.tolist()
    (1, [[[2.0, 0.0], [0.0, 2.0]]])
    """

    mixture: Mixture

    def __post_init__(self) -> None:
        if self.mixture.background is not None or self.mixture.tails is not None:
            raise ParameterError(
                "`keep` must be a mixture of Gaussian components; got one with noise or t components. Learn it "
                "without them."
            )

    @property
    def n_components(self) -> int:
        return self.mixture.n_components

    @property
    def full(self) -> Mixture:
        """The same mixture, with a matrix for each component."""
        found, family = self.mixture, get_family("full")
        covariances = found.full_covariances()
        factors = family.storage.factor(covariances, *found.means.shape)
        return replace(found, covariances=covariances, family=family, factors=factors, offsets=None)

    def maximize(
        self,
        statistics: Statistics,
        structure: Structure,
        prior: Prior,
        discrete: DiscreteColumns | None,
        previous: Mixture | None,
    ) -> tuple[Mixture, tuple[Repair, ...]]:
        """Return the kept components and the best others beside them, and the repairs that these needed.

        Parameters
        ----------
        statistics : Statistics
            Dense, of all components, those kept first.
        structure : Structure
            Of the covariances of the others.
        prior : Prior
            Of the others.
        discrete : DiscreteColumns, optional
        previous : Mixture, optional
            Of all components: the mixture that weighted the rows.
        """
        statistics.require_finite()
        weights = statistics.counts / np.add.reduce(statistics.counts)
        if statistics.n_components == self.n_components:
            return replace(self.full, weights=weights), ()
        new = np.arange(self.n_components, statistics.n_components)
        before = None if previous is None else _stored(previous, structure, new)
        sums = _of(statistics, new).with_moments(structure.moments[-1])
        found, repairs = maximize(sums, structure, prior, before)
        if discrete is not None:
            counts = None if statistics.levels is None else statistics.levels[:, new]
            logs = discrete.maximize(counts, len(new))
            found = replace(found, levels=LevelTable(discrete, logs))
        moved = tuple(replace(one, component=one.component + self.n_components) for one in repairs)
        return self._beside(found, weights), moved

    def _beside(self, found: Mixture, weights: FloatArray) -> Mixture:
        """Return the mixture of the kept components and others."""
        kept, family = self.full, get_family("full")
        covariances = found.full_covariances()
        own = family.storage.factor(covariances, *found.means.shape)
        levels = found.levels
        if levels is not None and kept.levels is not None:
            levels = LevelTable(levels.columns, np.hstack([kept.levels.logs, levels.logs]))
        return Mixture(
            weights,
            np.concatenate([kept.means, found.means]),
            np.concatenate([kept.covariances, covariances]),
            family,
            Factors(
                np.concatenate([kept.factors.whitening, own.whitening]),
                np.concatenate([kept.factors.log_determinants, own.log_determinants]),
            ),
            levels=levels,
        )

    def n_parameters(self, structure: Structure, n_components: int, n_features: int) -> int:
        """Return the number of free parameters beside those of discrete columns: K - 1 weights, and of the others."""
        new = n_components - self.n_components
        return n_components - 1 + new * n_features + (structure.n_parameters(new, n_features) if new else 0)


def _of(statistics: Statistics, components: IntArray) -> Statistics:
    """Return the sums of some components; log-likelihood and total weight are those of all."""
    parts = (statistics.counts, statistics.first, statistics.second)
    own = [np.ascontiguousarray(one[components]).ravel() for one in parts]
    return Statistics(DENSE, statistics.means[components], np.concatenate([statistics.sums[:2], *own]))


def _stored(mixture: Mixture, structure: Structure, components: IntArray) -> Mixture:
    """Return some components of a mixture of matrices, held as a structure holds them."""
    weights, means = mixture.weights[components], mixture.means[components]
    full, storage = mixture.covariances[components], structure.storage
    covariances = full if storage.per_component else full[0]
    if not storage.stores_matrices:
        covariances = np.ascontiguousarray(np.einsum("kii->ki", full))
        if len(storage.shape(*means.shape)) == 1:
            covariances = covariances.mean(axis=1)
    factors = storage.factor(covariances, *means.shape)
    return Mixture(weights, means, covariances, structure, factors)
