"""The sums from which change is judged: one pass over the rows of one time, about the parts of a mixture.

With ``a = w r_k``, a row's weight times its responsibility, and ``z = (x - mu_k) / sigma_k`` column by column, sums of
``a z`` and ``a z z^T`` say where the rows of a segment lie and how they vary, in its own units; sums of ``a^2`` times
the squares of the same terms say how far each sum would differ in another sample of as many rows. The sums of two
times, about the same mixture, are all that is compared (`mixtura.drift.comparison`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.core.accumulate import evaluate
from mixtura.core.data import Data
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.core.packed import pack_lower, unpack_lower
from mixtura.core.protocols import Block, Blocks, RowState
from mixtura.kernels import Components, Kernel, Outputs

__all__ = ["Cuts", "DriftSums", "GatherDrift", "drift_sums", "log_densities"]

_NO_NOISE = 1e-6
"""Share of noise that is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Where log densities are cut into bins.

    Parameters
    ----------
    edges : ndarray of shape (B - 1,)
        Ascending, in nats; quantiles of the rows that are compared with. Those up to the tail are limits of strange
        rows, the others cut the densities into tenths.
    tail : float
        Log density below which a row is one of the strangest of those.
    threshold : float or None, default=None
        Log density below which a row is an anomaly to the model.
    """

    edges: FloatArray
    tail: float
    threshold: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DriftSums:
    """Sums over rows, which add up.

    Pairs of columns are packed lower halves, ``P = D (D + 1) / 2``; see `mixtura.core.packed`.

    Parameters
    ----------
    totals : ndarray of shape (8,)
        Rows; ``w``, ``w^2``; ``w l``, ``w^2 l``, ``w^2 l^2`` with l the log density; ``w`` of the rows in the tail, and
        of the anomalies. Rows that are rather noise than in a component are in both.
    bins : ndarray of shape (B,)
        ``w`` by bin of the log density; noise is in the lowest.
    shares : ndarray of shape (K,)
        ``a``.
    shares_squared : ndarray of shape (K,)
        ``w a``, that is ``w^2 r_k``.
    products : ndarray of shape (K, K)
        ``w^2 r_j r_k``.
    first, first_squared : ndarray of shape (K, D)
        ``a z`` and ``a^2 z``.
    known, known_squared : ndarray of shape (K, P)
        ``a`` and ``a^2`` of the rows that have both columns.
    second, second_squared, fourth : ndarray of shape (K, P)
        ``a z_d z_e``, ``a^2 z_d z_e`` and ``a^2 z_d^2 z_e^2``.
    levels, levels_squared : ndarray of shape (L, K)
        ``a`` and ``a^2`` at each level of the discrete columns, that of missing values last; L is 0 without any.
    """

    totals: FloatArray
    bins: FloatArray
    shares: FloatArray
    shares_squared: FloatArray
    products: FloatArray
    first: FloatArray
    first_squared: FloatArray
    known: FloatArray
    known_squared: FloatArray
    second: FloatArray
    second_squared: FloatArray
    fourth: FloatArray
    levels: FloatArray
    levels_squared: FloatArray

    def __add__(self, other: Self) -> Self:
        names = [one.name for one in fields(self)]
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def scaled(self, factor: float) -> Self:
        """Return what as many rows of the same kind times the factor would give, on average."""
        return replace(self, **{one.name: getattr(self, one.name) * factor for one in fields(self)})

    def ordered(self, order: Sequence[int]) -> Self:
        """Return the sums with the components in another order."""
        chosen = np.asarray(order, dtype=np.intp)
        moved = {name: getattr(self, name)[chosen] for name in ("shares", "shares_squared", *_BY_COMPONENT)}
        return replace(
            self,
            products=self.products[np.ix_(chosen, chosen)],
            levels=self.levels[:, chosen],
            levels_squared=self.levels_squared[:, chosen],
            **moved,
        )

    @property
    def n_rows(self) -> int:
        return round(float(self.totals[0]))

    @property
    def weight(self) -> float:
        """Sum of the sample weights."""
        return float(self.totals[1])

    @property
    def effective_rows(self) -> float:
        """Rows of equal weight that would say as much: ``(sum w)^2 / sum w^2`` (Kish 1965)."""
        return float(self.totals[1] ** 2 / self.totals[2])

    @property
    def has_noise(self) -> bool:
        """Whether some rows belong to no component: memberships sum to less than one."""
        return float(self.shares.sum()) < (1.0 - _NO_NOISE) * self.weight

    @property
    def n_components(self) -> int:
        return int(self.shares.size)

    @property
    def n_features(self) -> int:
        return int(self.first.shape[1])

    def of_pairs(self, name: str) -> FloatArray:
        """Return sums of pairs of columns as symmetric matrices, (K, D, D)."""
        return unpack_lower(getattr(self, name), self.n_features)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, each number as its nine first digits: far more than the sums of a sample are worth."""
        found = {one.name: _short(getattr(self, one.name)) for one in fields(self)}
        if not self.has_noise:
            # Memberships sum to one: it follows from the products.
            del found["shares_squared"]
        return found

    @classmethod
    def from_dict(cls, content: dict[str, Any], n_components: int) -> Self:
        """Return what `to_dict` wrote."""
        given = {name: values for name, values in content.items() if values is not None}
        made = {name: np.array(values, dtype=np.float64) for name, values in given.items()}
        made.setdefault("shares_squared", made["products"].sum(axis=0))
        for name in ("levels", "levels_squared"):
            made[name] = made[name].reshape(-1, n_components)
        return cls(**made)


def _short(values: FloatArray) -> Any:
    return [_short(one) for one in values] if values.ndim > 1 else [float(f"{one:.9g}") for one in values]


_BY_COMPONENT = ("first", "first_squared", "known", "known_squared", "second", "second_squared", "fourth")


@dataclass(frozen=True, slots=True, eq=False)
class GatherDrift:
    """The pass that takes `DriftSums`; its state is what is added to the log density of each row.

    Parameters
    ----------
    mixture : Mixture
    components : Components
        Of the mixture.
    widths : ndarray of shape (K, D)
        Standard deviations of the columns within each component.
    cuts : Cuts
    kernel : Kernel
    """

    mixture: Mixture
    components: Components
    widths: FloatArray
    cuts: Cuts
    kernel: Kernel

    def __call__(self, block: Block, offsets: FloatArray) -> DriftSums:
        k = self.mixture.n_components
        density, memberships = np.empty(block.n_rows), np.empty((block.n_rows, k))
        evaluate(block, self.components, self.kernel, Outputs(log_density=density, memberships=memberships))
        rows = np.asarray(block.rows, dtype=np.float64)
        if block.order is not None:
            density = density + expected_log_density(self.mixture, rows, memberships)
        density = density + offsets
        weight = np.ones(block.n_rows) if block.sample_weight is None else block.sample_weight
        observed = None if block.order is None else ~np.isnan(rows)
        shares = memberships * weight[:, None]
        parts = [self._component(rows, observed, shares[:, one], one) for one in range(k)]
        stacked = [np.stack(each) for each in zip(*parts, strict=True)]
        totals, bins = self._densities(density, _ranked(density, self.mixture, memberships), weight)
        found = dict(zip(_BY_COMPONENT, stacked, strict=True)) | _levels(block, shares, k)
        return DriftSums(
            totals=totals, bins=bins, shares=shares.sum(axis=0), shares_squared=weight @ shares,
            products=shares.T @ shares, **found,
        )  # fmt: skip

    def _densities(
        self, density: FloatArray, ranked: FloatArray, weight: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        cuts, squared = self.cuts, weight**2
        anomalies = 0.0 if cuts.threshold is None else weight[ranked < cuts.threshold].sum()
        totals = [
            len(density), weight.sum(), squared.sum(), weight @ density, squared @ density,
            squared @ density**2, weight[ranked < cuts.tail].sum(), anomalies,
        ]  # fmt: skip
        place = np.searchsorted(cuts.edges, ranked, side="right")
        bins = np.bincount(place, weight, minlength=cuts.edges.size + 1)
        return np.array(totals), bins.astype(np.float64)

    def _component(
        self, rows: FloatArray, observed: BoolArray | None, share: FloatArray, k: int
    ) -> tuple[FloatArray, ...]:
        """Return the sums of one component, as `_BY_COMPONENT` names them."""
        z = (rows - self.mixture.means[k]) / self.widths[k]
        n_pairs = z.shape[1] * (z.shape[1] + 1) // 2
        squared = share**2
        if observed is None:
            known, known_squared = np.full(n_pairs, share.sum()), np.full(n_pairs, squared.sum())
        else:
            z = np.where(observed, z, 0.0)
            there = observed.astype(np.float64)
            known, known_squared = _pairs(there, share), _pairs(there, squared)
        second, second_squared = _pairs(z, share), _pairs(z, squared)
        fourth = _pairs(z**2, squared)
        return share @ z, squared @ z, known, known_squared, second, second_squared, fourth

    def add(self, total: DriftSums, more: DriftSums) -> DriftSums:
        return total + more

    def work(self, blocks: Blocks) -> float:
        k, d = self.mixture.means.shape
        return float(6 * blocks.n_rows * k * d * (d + 1))


def _pairs(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return ``sum_n weight_n v_nd v_ne``, packed."""
    return pack_lower((values * weight[:, None]).T @ values)


def _ranked(density: FloatArray, mixture: Mixture, memberships: FloatArray) -> FloatArray:
    """Return log densities by which rows are ranked: below all others for rows that are rather noise.

    Noise has the same density everywhere: what lies between its rows is rounding.
    """
    if mixture.background is None:
        return density
    return np.where(memberships.sum(axis=1) < 0.5, -np.inf, density)


def _levels(block: Block, shares: FloatArray, n_components: int) -> dict[str, FloatArray]:
    table, squared = np.zeros((2, block.n_levels, n_components))
    if block.levels is not None:
        for column in block.levels.T:
            np.add.at(table, column, shares)
            np.add.at(squared, column, shares**2)
    return {"levels": table, "levels_squared": squared}


def drift_sums(data: Data, mixture: Mixture, cuts: Cuts, offsets: RowState | None = None) -> DriftSums:
    """Return the sums of some rows about a mixture, in one pass.

    Parameters
    ----------
    data : Data
        N rows, as the mixture sees them.
    mixture : Mixture
        K components.
    cuts : Cuts
        Of log densities with the offsets added.
    offsets : RowState, optional
        What is added to the log density of each row, such as the logarithm of a Jacobian; nothing by default.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.drift.drift_sums import Cuts, drift_sums
    >>> from mixtura.engine import as_data
    >>> mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[1.0, 4.0]], "diag")
    >>> data = as_data(np.array([[1.0, 2.0], [-1.0, 4.0]]))
    >>> found = drift_sums(data, mixture, Cuts(np.array([-4.0]), -5.0))
    >>> found.first.tolist(), found.second.tolist()
    ([[0.0, 3.0]], [[2.0, -1.0, 5.0]])
    """
    widths = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
    task = GatherDrift(mixture, mixture.components(), widths, cuts, data.kernel)
    state = data.state(np.float64) if offsets is None else offsets
    return data.reduce(task, state)


def log_densities(data: Data, mixture: Mixture, offsets: FloatArray) -> FloatArray:
    """Return the log density of each row with the offsets added, shape (N,); of whole rows where values are missing.

    That of rows that are rather noise than in a component is minus infinity: they are the least expected.
    """
    density = data.state(np.float64)
    if not data.has_missing and mixture.background is None:
        data.evaluate(mixture.components(), log_density=density)
        return np.asarray(density.gathered() + offsets)
    memberships = data.state(np.float64, mixture.n_components)
    data.evaluate(mixture.components(), log_density=density, memberships=memberships)
    found, parts = np.asarray(density.gathered() + offsets), memberships.gathered()
    if data.has_missing:
        rows = data.rows_with_missing(np.arange(data.n_rows))
        found = found + expected_log_density(mixture, rows, parts)
    return _ranked(found, mixture, parts)
