"""False discoveries: which p-values are small beyond chance, and how many rows are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from mixtura._typing import BoolArray, FloatArray
from mixtura.exceptions import DataError
from mixtura.validation import PROBABILITY, require

__all__ = ["Excess", "control_false_discoveries", "excess_of"]


def control_false_discoveries(p_values: npt.ArrayLike, fdr: float = 0.1) -> BoolArray:
    """Flag p-values such that the expected share of false ones among the flagged is at most the rate.

    The procedure of Benjamini and Hochberg (1995): with the k-th smallest of N p-values p_(k), the largest k with
    ``p_(k) <= fdr k / N`` are flagged. It holds for p-values that are independent or positively dependent, as those of
    rows compared with the same calibration rows are (Bates, Candes, Lei, Romano and Sesia 2023, theorem 2).

    Parameters
    ----------
    p_values : array-like of shape (N,)
        From 0 to 1; NaN for rows without one, which are not flagged and do not count.
    fdr : float, default=0.1
        The rate, above 0 and below 1.

    Returns
    -------
    ndarray of shape (N,), bool

    Raises
    ------
    ParameterError
        The rate is out of its range.
    DataError
        A p-value is.

    Examples
    --------
    >>> from mixtura.anomaly import control_false_discoveries
    >>> control_false_discoveries([0.001, 0.9, 0.02, 0.04, 0.5], fdr=0.1).tolist()
    [True, False, True, True, False]
    """
    require("fdr", fdr, PROBABILITY, "Try `fdr=0.1`.")
    values = _checked(p_values)
    known = np.flatnonzero(~np.isnan(values))
    ordered = np.sort(values[known])
    passed = np.flatnonzero(ordered <= fdr * np.arange(1, known.size + 1) / max(known.size, 1))
    flagged = np.zeros(values.size, dtype=bool)
    if passed.size:
        flagged[known] = values[known] <= ordered[passed[-1]]
    return flagged


@dataclass(frozen=True, slots=True)
class Excess:
    """How many rows are stranger than chance explains.

    Parameters
    ----------
    count : float
        Rows with a p-value below the level, less those that chance puts there.
    low, high : int
        The numbers of anomalies with p-values below the level that do not contradict what was seen.
    level : float
        The p-value below which rows are counted.
    n_below : int
        How many there are.
    n_rows : int
    """

    count: float
    low: int
    high: int
    level: float
    n_below: int
    n_rows: int

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.low == 0 and self.count < 1:
            return (
                f"{self.n_below:,} of {self.n_rows:,} rows {'has' if self.n_below == 1 else 'have'} a p-value of at "
                f"most {self.level:g}, no more than chance explains: what is said of a row is said by its own p-value "
                "alone."
            )
        return (
            f"About {self.count:,.0f} of {self.n_rows:,} rows ({self.low:,} to {self.high:,}) are stranger than chance "
            "explains."
        )


def excess_of(p_values: npt.ArrayLike, *, level: float = 0.01, confidence: float = 0.95) -> Excess:
    """Return how many rows have smaller p-values than chance explains, with an interval.

    Of N rows, A are anomalies with p-values below the level t; of the others chance puts a binomial number there. With
    R seen, the estimate is ``A = (R - N t) / (1 - t)``. The interval holds every A for which R lies between the
    equal-tailed quantiles of ``A + Binomial(N - A, t)``.

    Parameters
    ----------
    p_values : array-like of shape (N,)
        NaN for rows without one.
    level : float, default=0.01
    confidence : float, default=0.95

    Raises
    ------
    ParameterError
        The level or the confidence is not above 0 and below 1.
    DataError
        A p-value is not from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.anomaly import excess_of
    >>> p_values = np.r_[np.full(20, 1e-6), np.linspace(0.0005, 0.9995, 1000)]
    >>> excess_of(p_values).sentence
    'About 20 of 1,020 rows (13 to 26) are stranger than chance explains.'
    """
    require("level", level, PROBABILITY, "Try `level=0.01`.")
    require("confidence", confidence, PROBABILITY, "Try `confidence=0.95`.")
    values = _checked(p_values)
    values = values[~np.isnan(values)]
    n, seen = values.size, int((values <= level).sum())
    candidates = np.arange(seen + 1)
    side = (1.0 - confidence) / 2
    by_chance = seen - candidates
    not_too_many = binom.sf(by_chance - 1, n - candidates, level) > side
    not_too_few = binom.cdf(by_chance, n - candidates, level) > side
    possible = candidates[not_too_many & not_too_few]
    # More than chance allows to be missing: fewer p-values than even no anomaly would leave.
    low, high = (int(possible[0]), int(possible[-1])) if possible.size else (0, 0)
    return Excess(max(0.0, (seen - n * level) / (1.0 - level)), low, high, level, seen, n)


def _checked(p_values: npt.ArrayLike) -> FloatArray:
    values = np.asarray(p_values, dtype=np.float64).ravel()
    if ((values < 0) | (values > 1)).any():
        raise DataError(
            f"`p_values` must be from 0 to 1; got {float(np.nanmin(values))!r} to {float(np.nanmax(values))!r}."
        )
    return values
