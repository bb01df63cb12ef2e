"""A Gaussian mixture as a value: densities, responsibilities, draws, marginals, conditionals and linear maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mixtura._optional import as_numbers
from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.covariance import (
    Factors,
    Structure,
    count_parameters,
    get_family,
)
from mixtura.core.covariance.check_parameters import (
    as_columns,
    as_finite,
    as_generator,
    checked_covariances,
    require_size,
)
from mixtura.core.covariance.factors import symmetric
from mixtura.core.moments import Moments
from mixtura.core.parts.discrete import LevelTable
from mixtura.core.parts.draws import draw_rows
from mixtura.core.parts.student import Tails
from mixtura.core.protocols import MixedRows
from mixtura.exceptions import DataError, ParameterError
from mixtura.kernels import Components, Outputs, evaluate_rows, sums_size
from mixtura.kernels.patterns import order_of_missing
from mixtura.kernels.terms.background import Background

__all__ = ["Mixture"]

_FAR_APART = 1e4
"""Widths that means may lie apart for one whitening of the rows to serve all components."""

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A Gaussian mixture: ``p(x) = sum_k w_k N(x; mu_k, Sigma_k)``.

    Rows may have missing values, NaN: what is said of a row then follows from the columns it has,
    ``p(x_o) = sum_k w_k N(x_o; mu_k,o, Sigma_k,oo)``.

    Build one with `from_parameters`, which checks; the constructor itself trusts its caller.

    Parameters
    ----------
    weights : ndarray of shape (K,)
        Mixing weights; not negative, summing to one.
    means : ndarray of shape (K, D)
        In units of the data.
    covariances : ndarray
        In the shape the family stores: (K, D, D) full, (D, D) tied, (K, D) diag, (K,) spherical, other families whose
        names end in I as diag, others as full; in squared units of the data.
    family : Structure
    factors : Factors
        What whitens the rows; consistent with the covariances.
    offsets : ndarray of shape (K,), optional
        What `components` has of them, where it is known already.
    levels : LevelTable, optional
        Probabilities of the levels of discrete columns; rows are then `MixedRows`. Of rows without levels, marginals
        and conditionals it says nothing: they are of the continuous columns alone.
    background : Background, optional
        Noise that belongs to no component; the weights then sum to one less its share. Its rows are labeled -1.
    tails : Tails, optional
        Degrees of freedom nu where components are multivariate t distributions; covariances are then their scale
        matrices Sigma_k: those of rows are ``nu_k / (nu_k - 2)`` times as large.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> mixture = Mixture.from_parameters(
    ...     weights=[0.25, 0.75], means=[[0.0, 0.0], [4.0, 4.0]], covariances=[1.0, 2.0], covariance_type="spherical"
    ... )
    >>> mixture.predict([[0.5, 0.0], [4.0, 5.0]])
    array([0, 1])
    >>> float(mixture.log_density([[0.0, 0.0]])[0].round(4))
    -3.2237
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    family: Structure
    factors: Factors
    offsets: FloatArray | None = None
    levels: LevelTable | None = None
    background: Background | None = None
    tails: Tails | None = None

    @classmethod
    def from_parameters(
        cls,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        covariance_type: str = "full",
    ) -> Mixture:
        """Build a mixture from its parameters.

        Parameters
        ----------
        weights : array-like of shape (K,)
        means : array-like of shape (K, D)
        covariances : array-like, in the shape of the family
        covariance_type : str, default="full"

        Raises
        ------
        ParameterError
            A shape does not fit, a value is not finite, weights are negative or do not sum to one (to 1e-6), a
            covariance is not symmetric positive definite, or the covariances are not of the family (to 1e-6).
        """
        family = get_family(covariance_type)
        centers = as_finite("means", means)
        if centers.ndim != 2 or not len(centers):
            raise ParameterError(
                f"`means` must have the shape (components, columns); got {centers.shape!r}. Wrap a single "
                "mean in a list."
            )
        n_components, n_features = centers.shape
        mixing = as_finite("weights", weights, (n_components,))
        if (mixing < 0).any() or abs(mixing.sum() - 1) > 1e-6:
            raise ParameterError(
                f"`weights` must be non-negative and sum to one; got {mixing.tolist()!r}. Divide them by their sum."
            )
        stored, factors = checked_covariances(family, covariances, n_components, n_features)
        # Weights that sum to one but for rounding stay as they are, so that parameters survive a round trip.
        if abs(mixing.sum() - 1) > 1e-12:
            mixing = mixing / mixing.sum()
        return cls(mixing, centers, stored, family, factors, _offsets(mixing, factors, n_features))

    @property
    def covariance_type(self) -> str:
        """Name of the covariance family."""
        return self.family.name

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return int(self.means.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return int(self.means.shape[1])

    @property
    def n_parameters(self) -> int:
        """Number of free parameters: ``K - 1`` weights, ``K D`` means, the family's covariances, and of other parts."""
        beside = 0 if self.levels is None else self.levels.n_parameters
        beside += 0 if self.background is None else Background.N_PARAMETERS
        beside += 0 if self.tails is None else self.tails.n_parameters
        return count_parameters(self.family.name, self.n_components, self.n_features) + beside

    def refined(self) -> Mixture:
        """Return the same mixture with densities right to the last digits that the covariances have.

        While a mixture is being fitted that is not worth the time: sums over rows lose as many digits.
        """
        factors = self.family.storage.refine(self.covariances, self.factors)
        return self if factors is self.factors else replace(self, factors=factors, offsets=None)

    def components(self, moments: Moments | None = None) -> Components:
        """Return what a kernel evaluates to gather second moments, the cheapest that is precise by default."""
        moments = self._precise_moments() if moments is None else moments
        offsets = self.offsets
        if offsets is None:
            offsets = _offsets(self.weights, self.factors, self.n_features)
        whitening = self.family.storage.whitening(self.factors, moments, len(self.means))
        table = None if self.levels is None else self.levels.logs
        freedom = None if self.tails is None else self.tails.freedom
        return Components(moments.layout, self.means, whitening, offsets, table, self.background, freedom)

    def _precise_moments(self) -> Moments:
        """Return the cheapest second moments, unless whitening rows and means apart for them would cancel."""
        cheapest, *others = self.family.moments
        if others:
            whitening = self.family.storage.whitening(self.factors, cheapest, self.n_components)
            apart = np.abs(self.means - self.means.mean(axis=0)) @ np.abs(whitening).T
            if not apart.max() < _FAR_APART:
                return others[-1]
        return cheapest

    def full_covariances(self) -> FloatArray:
        """Return every component's covariance matrix, shape (K, D, D)."""
        return self.family.storage.full(self.covariances, self.n_components, self.n_features)

    def log_density(self, rows: npt.ArrayLike | MixedRows) -> FloatArray:
        """Return ``log p(x)`` of each row, shape (N,), in nats.

        Parameters
        ----------
        rows : array-like of shape (N, D)

        Raises
        ------
        DataError
            The rows do not have D columns.
        """
        rows, levels = self._as_rows(rows)
        out = np.empty(rows.shape[0])
        self._evaluate(rows, levels, Outputs(log_density=out))
        return out

    def responsibilities(self, rows: npt.ArrayLike | MixedRows) -> FloatArray:
        """Return the probability that each row came from each component, (N, K): one less that of noise in sum."""
        rows, levels = self._as_rows(rows)
        out = np.empty((rows.shape[0], self.n_components))
        self._evaluate(rows, levels, Outputs(memberships=out))
        return out

    def predict(self, rows: npt.ArrayLike | MixedRows) -> IntArray:
        """Return the most probable component of each row, shape (N,); -1 for noise."""
        rows, levels = self._as_rows(rows)
        out = np.empty(rows.shape[0], dtype=np.intp)
        self._evaluate(rows, levels, Outputs(labels=out))
        return out

    def log_likelihood(
        self, rows: npt.ArrayLike | MixedRows, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """Return ``sum_n w_n log p(x_n)``, in nats; weights of shape (N,) are one by default."""
        rows, levels = self._as_rows(rows)
        weight = None if sample_weight is None else np.ascontiguousarray(sample_weight, dtype=np.float64)
        if weight is not None and weight.shape != rows.shape[:1]:
            raise DataError(
                f"`sample_weight` must hold one weight per row, shape {rows.shape[:1]!r}; got shape {weight.shape!r}."
            )
        components = self.components()
        size = sums_size(components.layout, *self.means.shape, tails=self.tails is not None)
        sums = np.zeros(size)
        order = order_of_missing(rows)
        evaluate_rows(
            rows, components, Outputs(), sample_weight=weight, sums=sums, order=order, levels=levels
        )
        return float(sums[0])

    def _evaluate(self, rows: RowArray, levels: IntArray | None, outputs: Outputs) -> None:
        evaluate_rows(rows, self.components(), outputs, order=order_of_missing(rows), levels=levels)

    def _as_rows(self, rows: npt.ArrayLike | MixedRows) -> tuple[RowArray, IntArray | None]:
        if isinstance(rows, MixedRows):
            return self._as_rows(rows.rows)[0], np.ascontiguousarray(rows.levels)
        array = as_numbers("`rows`", rows)
        dtype = np.float32 if array.dtype == np.float32 else np.float64
        array = np.ascontiguousarray(array, dtype=dtype)
        if array.ndim != 2 or array.shape[1] != self.n_features:
            raise DataError(
                f"`rows` must have the shape (rows, {self.n_features}), the mixture's columns; got {array.shape!r}. "
                "Give the columns that the mixture was fitted to."
            )
        return array, None

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> tuple[FloatArray, IntArray]:
        """Draw random rows.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState or None
            A seed, or a generator that is drawn from.

        Returns
        -------
        rows : ndarray of shape (n_samples, D), ordered by component
        labels : ndarray of shape (n_samples,)
            -1 for noise, whose rows are the last.
        """
        require_size("n_samples", n_samples)
        rng = as_generator(random_state)
        parameters = (self.weights, self.means, self.covariances)
        return draw_rows(rng, n_samples, *parameters, self.family, tails=self.tails, noise=self.background)

    def marginal(self, columns: Sequence[int]) -> Mixture:
        """Return the mixture of some of the columns, in the order given."""
        chosen = as_columns(columns, self.n_features)
        covariances = self.family.storage.marginal(self.covariances, chosen)
        noise = self.background and self.background.of(chosen, self.background.weight)
        return self._with(self.weights, self.means[:, chosen], covariances, self.family.general, noise)

    def conditional(self, columns: Sequence[int], values: npt.ArrayLike) -> Mixture:
        """Return the mixture of the other columns, given the values of some.

        ``w'_k`` is proportional to ``w_k N(v; mu_kg, Sigma_kgg)``, ``mu'_k = mu_kr + G_k (v - mu_kg)`` and
        ``Sigma'_k = Sigma_krr - G_k Sigma_kgr`` with the gain ``G_k = Sigma_krg Sigma_kgg^-1``
        (Bishop 2006, section 2.3.1). A t component stays one, with the degrees of freedom ``nu + p`` of p values known
        and ``(nu + q) / (nu + p)`` times the scale, q their squared distance (Kotz and Nadarajah 2004, section 1.11).

        Parameters
        ----------
        columns : sequence of int
            The columns whose values are known; at least one column must remain.
        values : array-like of shape (len(columns),)
        """
        given = as_columns(columns, self.n_features)
        rest = np.setdiff1d(np.arange(self.n_features), given)
        if rest.size == 0:
            raise ParameterError(
                f"`columns` must leave out at least one column; got {list(columns)!r}, which names all. Leave out "
                "those to be described."
            )
        known = as_finite("values", values, (given.size,))
        weights = self.marginal(columns).responsibilities(known[None, :])[0]
        if np.isnan(weights).any():
            raise ParameterError(
                f"`values` must be nearer to the means; got {known.tolist()!r}, whose squared distances exceed 1e308."
            )
        gain, covariances = self.family.storage.condition(self.covariances, given, rest, self.n_components)
        apart = known - self.means[:, given]
        means, name = self.means[:, rest] + np.einsum("krg,kg->kr", gain, apart), self.family.general
        noise = self.background and self.background.of(rest, max(0.0, 1.0 - float(weights.sum())))
        if self.tails is None:
            return self._with(weights, means, covariances, name, noise)
        inside = self.full_covariances()[:, given][:, :, given]
        distances = np.einsum("kg,kg->k", apart, np.linalg.solve(inside, apart[:, :, None])[:, :, 0])
        freedom = self.tails.freedom + given.size
        factors = (self.tails.freedom + distances) / freedom
        scales = get_family(name).storage.full(covariances, *means.shape) * factors[:, None, None]
        found = self._with(weights, means, scales, "full", noise)
        return replace(found, tails=replace(self.tails, freedom=freedom))

    def _with(
        self,
        weights: FloatArray,
        means: FloatArray,
        covariances: FloatArray,
        name: str,
        noise: Background | None,
    ) -> Mixture:
        """Return a mixture with other parameters, and with these tails."""
        if noise is None:
            return replace(Mixture.from_parameters(weights, means, covariances, name), tails=self.tails)
        total = max(float(weights.sum()), np.finfo(np.float64).tiny)
        even = np.full(len(weights), 1.0 / len(weights))
        found = Mixture.from_parameters(weights / total if weights.any() else even, means, covariances, name)
        return replace(found, weights=weights, offsets=None, background=noise, tails=self.tails)

    def affine(self, matrix: npt.ArrayLike, shift: npt.ArrayLike = 0.0) -> Mixture:
        """Return the mixture of ``A x + b``.

        Parameters
        ----------
        matrix : array-like of shape (E, D), or (D,) for a diagonal A
            ``A Sigma A^T`` must stay positive definite, so E is at most D.
        shift : array-like of shape (E,), default 0

        Returns
        -------
        Mixture
            In the same family where the map allows it, else in ``full``.
        """
        matrix = as_finite("matrix", matrix)
        if matrix.ndim not in (1, 2) or matrix.shape[-1] != self.n_features:
            raise ParameterError(
                f"`matrix` must have the shape (E, {self.n_features}), or ({self.n_features},) for one factor per "
                f"column; got {matrix.shape!r}. Try its transpose."
            )
        family, name = self.family, self.family.name
        square = np.diag(matrix) if matrix.ndim == 1 else matrix
        if not family.maps.allow(matrix):
            covariances, name = symmetric(square @ self.full_covariances() @ square.T), "full"
        elif matrix.ndim == 1:
            covariances = family.storage.rescale(self.covariances, matrix)
        else:
            covariances = family.storage.transform(self.covariances, matrix)
        added = as_finite("shift", shift)
        means = self.means @ square.T + added
        if self.background is not None and len(square) != self.n_features:
            raise ParameterError(
                f"`matrix` must be square where there is noise; got {matrix.shape!r}. Take `marginal` for some columns."
            )
        noise = self.background and self.background.affine(square, np.broadcast_to(added, len(square)))
        return self._with(self.weights, means, covariances, name, noise)


def _offsets(weights: FloatArray, factors: Factors, n_features: int) -> FloatArray:
    """Return ``log w_k + log |L_k| - D/2 log(2 pi)``, (K,)."""
    constant = factors.log_determinants - 0.5 * n_features * _LOG_2PI
    if np.minimum.reduce(weights) > 0:
        return np.log(weights) + constant
    with np.errstate(divide="ignore"):
        return np.log(weights) + constant
