"""What is drawn: a mixture and its rows, whichever result they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, BoolArray, FloatArray, IntArray
from mixtura.core.impute import conditional_means
from mixtura.core.mixture import Mixture
from mixtura.core.projection import discriminant_projection
from mixtura.exceptions import DataError, ParameterError
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.theme.text import shown, signed_list
from mixtura.segments import SegmentationResult
from mixtura.segments.merging.grouped import Groups, grouped
from mixtura.segments.transforms.transforms import IDENTITY, Transform

__all__ = ["MOST_POINTS", "Names", "PlotData", "Source", "numbered", "plot_data"]

Names: TypeAlias = Sequence[str] | None
"""Names of columns or of components; None for those that the source has."""

Source: TypeAlias = Any
"""A `SegmentationResult`, a `Mixture`, or a fitted estimator with a ``mixture_``."""

_FIRST_YEAR, _LAST_YEAR = 1850, 2100

MOST_POINTS = 3_000
"""Rows drawn one by one; of more a random sample is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class PlotData:
    """A mixture, its rows, and what to call them.

    Parameters
    ----------
    mixture : Mixture
        Of the rows as given; K components.
    rows : ndarray of shape (N, D)
    columns : tuple of str, length D
    names : tuple of str, length K
    memberships : ndarray of shape (N, K)
    log_density : ndarray of shape (N,)
        In nats.
    noun : str
        What a row is, in the plural.
    part : str
        What a component is.
    seed : int
        Of samples.
    anomaly : ndarray of shape (N,), bool
    threshold : float or None
        Log density below which a row is an anomaly.
    caller : callable
        Returns what a row, given by its number from 0, is called.
    weights : ndarray of shape (N,) or None, default=None
        How much each row counts in histograms.
    transforms : tuple of Transform, length D, default=()
        What the values of the table went through on their way to `rows`; axes are labeled in the table's units. Filled
        with `IDENTITY` where there is none.
    clusters : callable or None, default=None
        Returns the cluster of K-means that each row is in, from 0, by the component it matches, shape (N,). Only some
        charts need it.
    aliases : tuple of str, length D, default=()
        Other names of the columns, by which they can be asked for as well.
    missing : ndarray of shape (N, D), bool, or None, default=None
        Which values of `rows` are missing, where some are: there stand conditional means.
    at_mass : ndarray of shape (N, D), bool, or None, default=None
        Which values are at a point mass of their column, where some are: the mixture has no density there.
    groups : tuple of tuple of int, default=()
        The components of each part, where some have several; `names` and `memberships` are then of parts.
    """

    mixture: Mixture
    rows: FloatArray
    columns: tuple[str, ...]
    names: tuple[str, ...]
    memberships: FloatArray
    log_density: FloatArray
    noun: str
    part: str
    seed: int
    anomaly: Array
    threshold: float | None
    caller: Callable[[int], str]
    weights: FloatArray | None = None
    transforms: tuple[Transform, ...] = ()
    clusters: Callable[[], IntArray] | None = None
    aliases: tuple[str, ...] = ()
    missing: BoolArray | None = None
    at_mass: BoolArray | None = None
    groups: Groups = ()

    def __post_init__(self) -> None:
        if not self.transforms:
            object.__setattr__(self, "transforms", (IDENTITY,) * len(self.columns))

    @property
    def measure(self) -> str:
        """What the heights of a histogram count."""
        return self.noun if self.weights is None else f"{self.noun}, by weight"

    @property
    def total(self) -> float:
        """How many rows there are, by weight where there are weights."""
        return float(self.n_rows if self.weights is None else self.weights.sum())

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    @property
    def n_parts(self) -> int:
        return len(self.groups) or self.mixture.n_components

    @property
    def part_of(self) -> list[int]:
        """The number of the part that each component belongs to, from 0."""
        groups = self.groups or tuple((k,) for k in range(self.n_parts))
        return [
            next(g for g, group in enumerate(groups) if k in group) for k in range(self.mixture.n_components)
        ]

    def shares(self, mixture: Mixture, rows: FloatArray) -> FloatArray:
        """Return the probabilities of the parts for other rows, by a marginal of the mixture."""
        return grouped(mixture.responsibilities(rows), self.groups)

    @property
    def colors(self) -> tuple[str, ...]:
        return segment_colors(self.n_parts)

    @property
    def legend(self) -> list[str]:
        """Number and name of every component, as they are shown."""
        return numbered(self.names)

    @property
    def labels(self) -> IntArray:
        """Most probable component of each row, from 0."""
        return np.asarray(self.memberships.argmax(axis=1), dtype=np.intp)

    @property
    def heading(self) -> str:
        """How many components of how many rows."""
        plural = f"{self.part}s" if self.n_parts > 1 else self.part
        return f"{self.n_parts} {plural} of {self.n_rows:,} {self.noun}"

    @property
    def observed(self) -> FloatArray:
        """The rows, with NaN where a value is missing."""
        return self.rows if self.missing is None else np.where(self.missing, np.nan, self.rows)

    def known_in(self, columns: Sequence[int]) -> PlotData:
        """Return the rows that have values in some columns; all rows where none has."""
        if self.missing is None:
            return self
        kept = ~self.missing[:, list(columns)].any(axis=1)
        if kept.all() or not kept.any():
            return self
        numbers, caller, clusters = np.flatnonzero(kept), self.caller, self.clusters
        return replace(
            self,
            rows=self.rows[kept],
            memberships=self.memberships[kept],
            log_density=self.log_density[kept],
            anomaly=self.anomaly[kept],
            caller=lambda row: caller(int(numbers[row])),
            weights=None if self.weights is None else self.weights[kept],
            clusters=None if clusters is None else lambda: clusters()[kept],
            missing=self.missing[kept],
            at_mass=None if self.at_mass is None else self.at_mass[kept],
        )

    def off_mass(self, column: int) -> FloatArray:
        """Return the share of each component's rows that are at no point mass of a column, shape (K,)."""
        if self.at_mass is None:
            return np.ones(self.n_parts)
        weights = np.ones(self.n_rows) if self.weights is None else self.weights
        counted = self.memberships * weights[:, None]
        sizes = np.maximum(counted.sum(axis=0), np.finfo(np.float64).tiny)
        return np.asarray(counted[~self.at_mass[:, column]].sum(axis=0) / sizes)

    def has_years(self, column: int) -> bool:
        """Return whether a column holds whole numbers that read as years, such as 1975."""
        values = self.rows[:, column] if self.missing is None else self.rows[~self.missing[:, column], column]
        return bool(
            self.transforms[column].kind == "none"
            and values.min() >= _FIRST_YEAR
            and values.max() <= _LAST_YEAR
            and np.array_equal(values, np.rint(values))
        )

    def sample(self, most: int = MOST_POINTS) -> IntArray:
        """Return row numbers: all, or a random sample."""
        if self.n_rows <= most:
            return np.arange(self.n_rows)
        chosen = np.random.default_rng(self.seed).choice(self.n_rows, most, replace=False)
        return np.asarray(chosen, dtype=np.intp)

    def pair(self, pair: Sequence[str] | Sequence[int]) -> tuple[int, int]:
        """Return the numbers of two columns, given by name or number."""
        known = {name: d for names in (self.aliases, self.columns) for d, name in enumerate(names)}
        found = [known.get(one, one) if isinstance(one, str) else one for one in pair]
        numbers = [one for one in found if not isinstance(one, str) and 0 <= one < len(self.columns)]
        if len(found) != 2 or len(numbers) != 2 or numbers[0] == numbers[1]:
            raise ParameterError(
                f"`pair` must be two different columns of {', '.join(map(repr, self.columns))}; got {pair!r}. Try "
                "`pair='projection'`."
            )
        return numbers[0], numbers[1]

    def projected(self) -> PlotData:
        """Return the same in the two directions in which the components differ most."""
        found = discriminant_projection(self.mixture)
        titles = tuple(
            signed_list(self.aliases or self.columns, loadings.tolist()) for loadings in found.loadings.T
        )
        return replace(
            self,
            mixture=found.mixture(self.mixture),
            rows=found.apply(self.rows),
            columns=titles,
            transforms=(),
            aliases=(),
            missing=None,
        )


def numbered(names: Sequence[str]) -> list[str]:
    """Return number and name of every component, as legends show them."""
    return [f"{k + 1}  {shown(name)}" for k, name in enumerate(names)]


def plot_data(
    source: Source,
    rows: npt.ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> PlotData:
    """Return what there is to draw.

    Parameters
    ----------
    source : SegmentationResult, Mixture, or fitted estimator
    rows : array-like or table of shape (N, D)
        Required unless `source` is a SegmentationResult, which has its own.
    columns : sequence of str or None, default=None
        Names of the D columns; None for those of the table, or of the result, or numbers.
    names : sequence of str or None, default=None
        Of the K components.

    Raises
    ------
    ParameterError
        There is no mixture, rows are missing, or names do not fit.
    DataError
        Rows do not fit the mixture, are none, or are not finite.
    """
    if isinstance(source, SegmentationResult):
        return _of_segments(source)
    mixture = getattr(source, "mixture_", source)
    if not isinstance(mixture, Mixture):
        raise ParameterError(
            "`source` must be a SegmentationResult, a Mixture or a fitted estimator; got "
            f"{type(source).__name__!r}. Fit the estimator first."
        )
    if rows is None:
        raise ParameterError(
            "`rows` must be the rows to draw; got None. Give those that the mixture was fitted to."
        )
    if columns is None:
        columns = [str(name) for name in getattr(rows, "columns", range(1, mixture.n_features + 1))]
        columns = columns if hasattr(rows, "columns") else [f"column {number}" for number in columns]
    given = _finite_rows(rows, mixture)
    values, missing = _filled(mixture, given)
    return PlotData(
        mixture=mixture,
        rows=values,
        columns=_as_many("columns", columns, mixture.n_features),
        names=_as_many("names", names or [f"component {k + 1}" for k in range(mixture.n_components)],
                       mixture.n_components),
        memberships=mixture.responsibilities(given),
        log_density=mixture.log_density(given),
        noun="rows",
        part="component",
        seed=0,
        anomaly=np.zeros(len(values), dtype=bool),
        threshold=None,
        caller=lambda row: str(row + 1),
        missing=missing,
    )  # fmt: skip


def _of_segments(result: SegmentationResult) -> PlotData:
    model, assignment = result.model, result.assignment
    complete = assignment.complete
    numbers = np.flatnonzero(complete)
    # Where all rows are complete, nothing is copied.
    kept = slice(None) if complete.all() else complete
    mixture = model.in_transformed_units()
    rows, missing = _filled(mixture, model.scaling.transformed(result.rows))
    masked = np.isnan(model.scaling.masked(result.rows)) & ~np.isnan(result.rows)
    return PlotData(
        mixture=mixture,
        rows=rows,
        columns=model.columns,
        names=model.names,
        memberships=assignment.memberships[kept],
        log_density=assignment.log_density[kept],
        noun="customers",
        part="segment",
        seed=model.training.seed,
        anomaly=assignment.anomaly[kept],
        threshold=model.anomaly_threshold,
        # Only the few that are drawn are looked up: turning all ids into an array may load pandas.
        caller=lambda row: assignment.customer(int(numbers[row])),
        weights=result.weights,
        transforms=model.transforms,
        clusters=lambda: result.kmeans.labels,
        aliases=model.transformed_columns,
        missing=missing,
        at_mass=masked if masked.any() else None,
        groups=model.groups,
    )


def _filled(mixture: Mixture, rows: FloatArray) -> tuple[FloatArray, BoolArray | None]:
    """Return rows with conditional means in the place of missing values, and which these are."""
    missing = np.isnan(rows)
    return (conditional_means(mixture, rows), missing) if missing.any() else (rows, None)


def _finite_rows(rows: npt.ArrayLike, mixture: Mixture) -> FloatArray:
    values = np.ascontiguousarray(rows, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != mixture.n_features or len(values) == 0:
        raise DataError(
            f"`rows` must have the shape (rows, {mixture.n_features}); got {values.shape!r}. "
            "Give the columns that the mixture was fitted to."
        )
    if np.isinf(values).any():
        bad = int(np.isinf(values).sum())
        raise DataError(f"`rows` must be finite, or NaN where a value is missing; got {bad} infinite values.")
    return values


def _as_many(what: str, given: Sequence[str], count: int) -> tuple[str, ...]:
    if len(given) != count:
        raise ParameterError(f"`{what}` must be {count} names, one each; got {list(given)!r}.")
    return tuple(map(str, given))
