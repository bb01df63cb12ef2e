"""Priors of means and covariances, which keep components from collapsing: a ridge, a floor, a conjugate prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar, Protocol

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.floor import CovarianceFloor, sound_covariance
from mixtura.core.moments import DENSE
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.kernels import get_algebra

__all__ = [
    "Conjugate",
    "Floor",
    "Modelled",
    "Prior",
    "Ridge",
    "Traits",
    "covariance_and_mean",
    "relative_floor",
]

_SOUND = 1e-10
"""Least share of the variance of columns that is left along any direction; six digits then survive a factorization."""

_SMALLEST_CORRELATION = 1e-8
"""Eigenvalues of the correlations below this are raised to it in the scale of the conjugate prior."""


class Traits(Protocol):
    """What a prior asks of a covariance structure.

    Attributes
    ----------
    stores_matrices : bool
        Whether covariances are ellipsoids of any orientation; otherwise their axes are parallel to the columns.
    isotropic : bool
        Whether they are spherical.
    pooled : bool
        Whether all components have one covariance.
    """

    @property
    def stores_matrices(self) -> bool: ...
    @property
    def isotropic(self) -> bool: ...
    @property
    def pooled(self) -> bool: ...


class Modelled(Protocol):
    """What a prior asks of a mixture: its means (K, D) and covariances."""

    @property
    def means(self) -> FloatArray: ...
    @property
    def family(self) -> Traits: ...
    def full_covariances(self) -> FloatArray: ...


class Prior(Protocol):
    """What the M-step asks of a prior; covariance structures see its ridge only.

    Attributes
    ----------
    ridge : float
        Added to every variance, in squared units of the data.
    least_variance : float
        The variance to which those of a covariance that is not positive definite are raised; zero where there is none,
        and an ill-defined covariance of the start is an error.
    floor : CovarianceFloor or None
        A lower bound of covariances.
    is_flat : bool
        Whether it adds no pseudo-observations.
    """

    @property
    def ridge(self) -> float: ...
    @property
    def least_variance(self) -> float: ...
    @property
    def floor(self) -> CovarianceFloor | None: ...
    @property
    def is_flat(self) -> bool: ...

    def add_pseudo_observations(
        self, statistics: Statistics, means: FloatArray, structure: Traits
    ) -> tuple[Statistics, FloatArray]:
        """Return the statistics that covariances are estimated from, and the new means, given those of the rows."""

    def log_density(self, mixture: Modelled) -> float:
        """Return the logarithm of the prior density at a mixture but for a constant, in nats."""


class _Flat:
    """A flat prior of means and covariances."""

    __slots__ = ()
    is_flat = True

    def add_pseudo_observations(
        self, statistics: Statistics, means: FloatArray, structure: Traits
    ) -> tuple[Statistics, FloatArray]:
        return statistics, means

    def log_density(self, mixture: Modelled) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class Ridge(_Flat):
    """A constant added to every variance, in squared units of the data.

    This is scikit-learn's ``reg_covar``: ``Sigma_k = S_k / n_k + ridge I``. It is also the floor to
    which a covariance that is not positive definite is repaired.

    Parameters
    ----------
    ridge : float, default=1e-6
        Not negative. Zero allows no floor: an ill-defined covariance is then an error.
    """

    ridge: float = 1e-6

    @property
    def least_variance(self) -> float:
        return self.ridge

    @property
    def floor(self) -> None:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Floor(_Flat):
    """A floor for covariances, relative to the covariance T of all rows: ``Sigma_k >= fraction T``.

    The inequality is that of symmetric matrices: no component may be narrower, in any direction, than
    ``sqrt(fraction)`` times the deviation of the data in that direction. The M-step maximizes under this constraint.
    It is a clip, not an addition: covariances above the floor are not changed. As T follows the data, so does the
    fit, whatever the units and the origin of the columns; the constraint itself follows every linear map. Families
    with axes parallel to the columns keep it column by column, spherical ones on average over the columns, and those
    that share axes or spectra along the axes and in the ordered eigenvalues.

    The default fraction, 1e-8, is a deviation of 1/10,000 of the data's. It is ten times below the narrowest clusters
    seen in practice, 1/1,000, so it does not bind on those; and far enough above rounding, as covariances relative to
    T then have condition numbers of about 1e8, which leaves eight digits. A component on a point mass, many equal
    values, ends on the floor whatever the fraction, which only determines how high its likelihood is. Such components
    are found by `mixtura.fit.find_degeneracies`.

    Where T is singular a relative floor is not defined. Of collinear columns, no direction has a floor below 1e-10 of
    their variances; a constant column takes the smallest variance of the other columns.

    Make one from the data with `Floor.of`.
    """

    lowest: CovarianceFloor
    total: Statistics
    fraction: float

    @classmethod
    def of(cls, total: Statistics, fraction: float = 1e-8, rounding: FloatArray | None = None) -> Floor:
        """Make the floor of a table.

        Parameters
        ----------
        total : Statistics
            Dense one-component statistics of all rows: `Data.total`.
        fraction : float, default=1e-8
            Of the data's covariance; above 0, at most 1e-2.
        rounding : ndarray of shape (D,) or None, default=None
            Steps h that the columns are rounded to, 0 for none. No deviation goes below ``h / sqrt(2 pi)``: the density
            of a component is then at most ``1 / h``, and its probability of a single rounded value at most one. A
            narrower one, also one that all components share, would be paid for the rounding.

        Raises
        ------
        ParameterError
            The fraction is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from mixtura.core.prior import Floor
        >>> from mixtura.engine import as_data
        >>> total = as_data([[0.0, 0.0], [2.0, 600.0], [4.0, 0.0], [6.0, 600.0]]).total
        >>> Floor.of(total, 1e-4).floor.variances
        array([5.e-04, 9.e+00])
        """
        if not 0 < fraction <= 1e-2:
            raise ParameterError(
                f"`fraction` must be above 0 and at most 0.01, or it would bind on real clusters; got {fraction!r}. "
                "Try `fraction=1e-8`."
            )
        covariance, means = covariance_and_mean(total)
        return cls(relative_floor(covariance, means, fraction, rounding), total, fraction)

    @property
    def ridge(self) -> float:
        return 0.0

    @property
    def least_variance(self) -> float:
        return float(self.lowest.variances.min())

    @property
    def floor(self) -> CovarianceFloor:
        return self.lowest


@dataclass(frozen=True, slots=True, eq=False)
class Conjugate:
    """The conjugate prior of Fraley and Raftery (2007), and the mode of the posterior instead of the maximum.

    Means are normal given the covariances, ``mu_k ~ N(center, Sigma_k / shrinkage)``. Covariances are inverse Wishart
    with ``dof`` degrees of freedom and the scale Lambda where they may have any orientation, and inverse gamma in
    each column with the mean of Lambda's diagonal where their axes are parallel to the columns or they are spherical.
    Where all components have one covariance this prior is counted once, otherwise once for each component; families
    in between are the mode of the same prior restricted to them. With the hyperparameters of mclust's
    ``defaultPrior()``, see `of`, the families EII, VII, VVI, EEE and VVV are mclust's.

    It acts as rows do: as ``shrinkage`` rows at the center for the means, as a scatter
    ``Lambda + shrinkage (mu_k - center)(mu_k - center)^T`` for the covariances, and as a number of rows for their
    divisor. So a component of few rows is drawn to the width of the data, and none can collapse.

    C. Fraley and A. E. Raftery (2007). Bayesian regularization for normal mixture estimation and model-based
    clustering. Journal of Classification 24, 155-181.

    Parameters
    ----------
    center : ndarray of shape (D,)
    scale : ndarray of shape (D, D)
        Lambda, symmetric positive definite, in squared units of the data.
    dof : float
        Degrees of freedom; at least D.
    shrinkage : float
        Number of pseudo-observations for each mean.
    """

    center: FloatArray
    scale: FloatArray
    dof: float
    shrinkage: float
    ridge: float = field(default=0.0, init=False, repr=False)
    is_flat: ClassVar[bool] = False

    @classmethod
    def of(cls, total: Statistics, n_components: int, shrinkage: float = 0.01) -> Conjugate:
        """Make mclust's default prior of a table for a number of components.

        ``dof = D + 2``, ``center`` the mean of the rows, and ``Lambda = V / K^(2/D)`` with V the covariance of the
        rows with the divisor n - 1, its diagonal alone where there are no more rows than columns.

        Parameters
        ----------
        total : Statistics
            Dense one-component statistics of all rows: `Data.total`.
        n_components : int
        shrinkage : float, default=0.01
        """
        covariance, means = covariance_and_mean(total)
        weight, n_features = total.total_weight, means.size
        unbiased = weight / (weight - 1) if weight >= 2 else 2.0
        if weight <= n_features:
            covariance = np.diag(covariance.diagonal())
        deviations, root = sound_covariance(covariance, np.abs(means), _SMALLEST_CORRELATION)
        half = deviations[:, None] * root
        factor = unbiased * n_components ** (-2 / n_features)
        return cls(means, factor * (half @ half.T), n_features + 2.0, shrinkage)

    @property
    def least_variance(self) -> float:
        return float(self.scale.diagonal().min()) * _SOUND

    @property
    def floor(self) -> None:
        return None

    def add_pseudo_observations(
        self, statistics: Statistics, means: FloatArray, structure: Traits
    ) -> tuple[Statistics, FloatArray]:
        """Return the statistics of the rows and of the pseudo-observations, and the means of the mode."""
        counts = statistics.counts[:, None]
        drawn = statistics.first + self.shrinkage * (self.center - statistics.means)
        means = statistics.means + drawn / (counts + self.shrinkage)
        rows, scatter = self._pseudo_observations(means, structure)
        sums = statistics.rebase(means)
        sums.second[...] += sums.moments.pack(scatter)
        sums.counts[...] += rows
        return sums, means

    def log_density(self, mixture: Modelled) -> float:
        rows, scatter = self._pseudo_observations(mixture.means, mixture.family)
        covariances = mixture.full_covariances()
        deviations = np.sqrt(np.einsum("kii->ki", covariances))
        units = deviations[:, :, None] * deviations[:, None, :]
        volumes = np.linalg.slogdet(covariances / units)[1] + 2 * np.log(deviations).sum(axis=1)
        pull = np.einsum("kii->k", np.linalg.solve(covariances / units, scatter / units))
        return float(-0.5 * (rows * volumes + pull).sum())

    def _pseudo_observations(self, means: FloatArray, structure: Traits) -> tuple[float, FloatArray]:
        """Return the number of pseudo-observations in each component, and their scatter about means, (K, D, D)."""
        n_components, n_features = means.shape
        if structure.stores_matrices:
            rows, scale = self.dof + n_features + 1, self.scale
        else:
            rows = (self.dof + 2) / (n_features if structure.isotropic else 1)
            scale = np.eye(n_features) * self.scale.diagonal().mean()
            scale = scale / n_features if structure.isotropic else scale
        share = 1 / n_components if structure.pooled else 1.0
        apart = means - self.center
        return 1 + share * rows, share * scale + self.shrinkage * apart[:, :, None] * apart[:, None, :]


def relative_floor(
    covariance: FloatArray, means: FloatArray, fraction: float = 1e-8, rounding: FloatArray | None = None
) -> CovarianceFloor:
    """Return the floor that `Floor` is of the covariance and the means of all rows, or the floors of several tables.

    Parameters
    ----------
    covariance, means : ndarray of shape (..., D, D) and (..., D)
    fraction, rounding
        As of `Floor.of`.
    """
    deviations, root = sound_covariance(covariance, np.abs(means), _SOUND / fraction)
    deviations = sqrt(fraction) * deviations
    if rounding is not None:
        deviations = np.maximum(deviations, rounding / np.sqrt(2 * np.pi))
    variances = np.square(deviations)
    mean = np.add.reduce(covariance.diagonal(axis1=-2, axis2=-1), axis=-1) / means.shape[-1]
    spherical = np.maximum(fraction * mean, np.minimum.reduce(variances, axis=-1))
    return CovarianceFloor.of(deviations[..., :, None] * root, variances, np.asarray(spherical))


def covariance_and_mean(total: Statistics) -> tuple[FloatArray, FloatArray]:
    """Return covariance (D, D) and means (D,) of all rows.

    Parameters
    ----------
    total : Statistics
        Dense statistics of all rows as one component.

    Raises
    ------
    ParameterError
        They are not.
    """
    if total.moments is not DENSE or total.n_components != 1:
        raise ParameterError(
            f"`total` must be the dense statistics of all rows as one component; got "
            f"{total.moments.name} second moments of {total.n_components} components. "
            "Try `Data.total`."
        )
    means = total.means + total.first / total.total_weight
    return get_algebra().scatter(total.means, total.sums, means)[0] / total.total_weight, means[0]
