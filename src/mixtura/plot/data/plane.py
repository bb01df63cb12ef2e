"""Two columns as the plane of a chart: which, from where to where, and which rows lie on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.plot.data.axes import axis_title, is_transformed, position, to_units
from mixtura.plot.data.plot_data import MOST_POINTS, PlotData
from mixtura.plot.theme.encodings import compact
from mixtura.plot.theme.text import shown, tidy_count
from mixtura.plot.vega import Spec, quantitative
from mixtura.segments.transforms.transforms import IDENTITY, Transform

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Pair",
    "Plane",
    "frame",
    "most_different_columns",
    "most_informative_pair",
    "plane_of",
]

Pair: TypeAlias = Sequence[str] | Sequence[int] | Literal["projection"] | None
"""Two columns by name or number, the discriminant projection, or None for the most informative pair."""

WIDTH, HEIGHT = 560, 460
_JUDGED = 2_000
"""Rows on which pairs of columns are compared."""
_JUDGED_COLUMNS = 24
"""Of more columns than these, only those that differ most are compared in pairs."""
_CROWDED = 0.6
"""If all but two percent of the rows fill less of an axis than this, the axis ends where they do."""


def most_informative_pair(mixture: Mixture, rows: FloatArray) -> tuple[int, int]:
    """Return the two columns that are most informative about the components.

    Knowing only two columns of a row, the marginal mixture gives some probability to the component that all columns
    together speak for. The pair is taken for which it is largest on average.

    Parameters
    ----------
    mixture : Mixture
        Of D >= 2 columns.
    rows : ndarray of shape (N, D)
        In its units; a few thousand are enough.
    """
    labels = mixture.predict(rows)
    every_row = np.arange(len(rows))

    def recognized(pair: tuple[int, int]) -> float:
        known = mixture.marginal(pair).responsibilities(rows[:, pair])
        return float(known[every_row, labels].mean())

    return max(combinations(most_different_columns(mixture, _JUDGED_COLUMNS), 2), key=recognized)


def most_different_columns(mixture: Mixture, most: int) -> list[int]:
    """Return the columns in which components differ most, in the order of the mixture; all where they are few.

    Those with the largest share of variance between the means, ``sum_k w_k (mu_k - mu)^2`` of the whole.
    """
    weights, means = mixture.weights / mixture.weights.sum(), mixture.means
    variances = mixture.family.storage.variances(mixture.covariances, mixture.n_features)
    between = weights @ np.square(means - weights @ means)
    within = weights @ np.broadcast_to(variances, means.shape)
    return sorted(np.argsort(-between / (between + within), kind="stable")[:most].tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A chart's plane.

    Parameters
    ----------
    subject : Subject
    mixture : Mixture
        Of the two columns.
    rows : ndarray of shape (N, 2)
    domains : pair of (low, high)
        Where the axes begin and end.
    titles : list of str
        Of the axes.
    transforms : pair of Transform
        Of the two columns.
    x, y : dict
        Channels.
    inside : ndarray of shape (N,), bool
    sample : ndarray of row numbers
        The rows to draw one by one, all of them inside.
    """

    subject: PlotData
    mixture: Mixture
    rows: FloatArray
    domains: tuple[tuple[float, float], tuple[float, float]]
    titles: list[str]
    transforms: tuple[Transform, Transform]
    x: Spec
    y: Spec
    inside: Array
    sample: IntArray

    @property
    def spans(self) -> tuple[float, float]:
        (x0, x1), (y0, y1) = self.domains
        return x1 - x0, y1 - y0

    @property
    def caveats(self) -> str:
        """What is not drawn."""
        n_outside, noun = int((~self.inside).sum()), self.subject.noun
        lines = []
        if self.subject.n_rows > MOST_POINTS:
            lines.append(f"Points: a random sample of {MOST_POINTS:,} of {self.subject.n_rows:,} {noun}.")
        if n_outside:
            lines.append(tidy_count(n_outside, f"{noun[:-1]} lies", f"{noun} lie") + " outside the frame.")
        return " ".join(lines)

    def units(self, points: FloatArray) -> list[dict[str, float]]:
        """Return the values of the table at (M, 2) points, as fields ``u`` and ``v``, where an axis is transformed."""
        if not any(map(is_transformed, self.transforms)):
            return [{} for _ in points]
        pairs = zip(*(to_units(points[:, i], self.transforms[i]) for i in (0, 1)), strict=True)
        return [{"u": u, "v": v} for u, v in pairs]

    @property
    def tooltips(self) -> list[Spec]:
        """Tooltips of the two values, in the units of the table."""
        fields = ("u", "v") if any(map(is_transformed, self.transforms)) else ("x", "y")
        return [quantitative(field, title=title) for field, title in zip(fields, self.titles, strict=True)]

    def places(self, points: FloatArray) -> tuple[list[float], list[float]]:
        """Return the coordinates of (M, 2) points with no more digits than can be seen."""
        return compact(points[:, 0], self.spans[0]), compact(points[:, 1], self.spans[1])


def plane_of(subject: PlotData, pair: Pair) -> Plane:
    """Return the plane of two columns."""
    if subject.mixture.n_features < 2:
        raise ParameterError(
            "`source` must have at least two columns, which span a plane; got one. Try plot_marginals."
        )
    if isinstance(pair, str):
        if pair != "projection":
            raise ParameterError(
                f"`pair` must be two columns, 'projection' or None; got {pair!r}. Try `pair='projection'`."
            )
        subject, chosen = subject.projected(), (0, 1)
    elif pair is None:
        chosen = most_informative_pair(subject.mixture, subject.rows[subject.sample(_JUDGED)])
    else:
        chosen = subject.pair(pair)
    subject = subject.known_in(chosen)
    mixture, rows = subject.mixture.marginal(chosen), subject.rows[:, chosen]
    first, second = chosen
    transforms = subject.transforms[first], subject.transforms[second]
    domains = (
        frame(rows[:, 0], *_reach(mixture, 0), transforms[0]),
        frame(rows[:, 1], *_reach(mixture, 1), transforms[1]),
    )
    low, high = np.array(domains).T
    inside = np.asarray(((rows >= low) & (rows <= high)).all(axis=1))
    sample = subject.sample()
    titles = [axis_title(shown(subject.columns[d], 74), subject.transforms[d]) for d in chosen]
    return Plane(
        subject, mixture, rows, domains, titles, transforms,
        position("x", titles[0], domains[0], transforms[0]),
        position("y", titles[1], domains[1], transforms[1]),
        inside, sample[inside[sample]],
    )  # fmt: skip


def frame(
    values: FloatArray, lowest: float, highest: float, transform: Transform = IDENTITY
) -> tuple[float, float]:
    """Return where the axis begins and ends: at all values, or at those of 98 % where few would crowd the rest.

    It makes room for ellipses, which go from `lowest` to `highest`, up to an eighth of the axis on either side. Where
    the column is transformed and no value is negative, the axis begins at zero at the earliest: ellipses are cut there.
    """
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(value) for value in np.percentile(values, [1, 99]))
    if inner_high - inner_low < _CROWDED * (high - low) and inner_high > inner_low:
        low, high = max(low, inner_low), inner_high
    span = high - low or abs(high) or 1.0
    margin, most = 0.03 * span, 0.125 * span
    start, end = max(min(low, lowest), low - most) - margin, min(max(high, highest), high + most) + margin
    zero = float(transform.forward(np.zeros(1))[0])
    if is_transformed(transform) and float(values.min()) >= zero:
        start = max(start, zero)
    return start, end


def _reach(mixture: Mixture, column: int) -> tuple[float, float]:
    """Return how far the ellipses of two standard deviations go."""
    deviations = np.sqrt(mixture.full_covariances()[:, column, column])
    means = mixture.means[:, column]
    return float((means - 2 * deviations).min()), float((means + 2 * deviations).max())
