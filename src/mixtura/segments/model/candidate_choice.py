"""The models of a search that may be chosen, and why others may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from mixtura._typing import FloatArray
from mixtura.segments.weighted import effective_counts
from mixtura.select import Candidate

__all__ = ["Exclusion", "candidates_to_choose_from", "excluded", "exclusions_of", "most_outliers"]

_FEW = 5
_FEW_SHARE = 0.1
"""Five customers and a tenth of all are a segment, however many columns there are."""


class Exclusion(Enum):
    """Why a model may not be chosen, whatever its criterion."""

    DEGENERATE = "degenerate"
    FEW_CUSTOMERS = "too few customers"
    SMALL_SEGMENT = "small segment"


def most_outliers(n_rows: float, n_columns: int) -> float:
    """Return how many customers are outliers at most, rather than a segment.

    As many as there are columns; of few customers in many columns a tenth, or five.

    Examples
    --------
    >>> from mixtura.segments.model.candidate_choice import most_outliers
    >>> most_outliers(300, 4), most_outliers(250, 200), most_outliers(20, 30)
    (4, 25.0, 5)
    """
    return min(n_columns, max(_FEW, _FEW_SHARE * n_rows))


def exclusions_of(
    ranking: Sequence[Candidate],
    rows: FloatArray,
    weights: FloatArray | None = None,
    min_share: float = 0.0,
    n_kept: int = 0,
) -> dict[Candidate, Exclusion]:
    """Return the models that may not be chosen, with the reason, in the order of the ranking.

    Degenerate ones, whose likelihood means nothing; those of several segments with one of so few customers that these
    are outliers, see `most_outliers`; and those with a segment of a smaller share than asked for. With weights
    customers are counted by them, see `effective_counts`. Models that could not be fitted are not among them.

    Parameters
    ----------
    ranking : sequence of Candidate
    rows : ndarray of shape (N, D)
    weights : ndarray of shape (N,) or None, default=None
    min_share : float, default=0
        Of the weight of a component in the mixture, the share of customers that is expected in it.
    n_kept : int, default=0
        The first components that are kept, however few customers they have.
    """
    n_rows = len(rows) if weights is None else float(effective_counts(weights).sum())
    few = most_outliers(n_rows, rows.shape[1])
    found = {}
    for one in ranking:
        if one.mixture is None:
            continue
        if one.is_degenerate:
            found[one] = Exclusion.DEGENERATE
            continue
        smallest = float(one.mixture.weights[n_kept:].min(initial=1.0))
        if one.n_components > 1 and smallest * n_rows <= few:
            found[one] = Exclusion.FEW_CUSTOMERS
        elif smallest < min_share:
            found[one] = Exclusion.SMALL_SEGMENT
    return found


def candidates_to_choose_from(
    ranking: Sequence[Candidate], exclusions: Mapping[Candidate, Exclusion]
) -> tuple[Candidate, ...]:
    """Return the models that are not excluded, the best by the criterion first.

    Where all are, those with too small a segment; then those with too few customers in one; and where all are
    degenerate, the first of the ranking alone.
    """
    fitted = [one for one in ranking if one.mixture is not None]
    for allowed in (set(), {Exclusion.SMALL_SEGMENT}, {Exclusion.SMALL_SEGMENT, Exclusion.FEW_CUSTOMERS}):
        found = tuple(one for one in fitted if exclusions.get(one) in {None, *allowed})
        if found:
            return found
    return (ranking[0],)


def excluded(
    ranking: Sequence[Candidate], best: Candidate, exclusions: Mapping[Candidate, Exclusion]
) -> tuple[Candidate, ...]:
    """Return those of a smaller criterion than the best that may not be chosen."""
    return tuple(one for one in ranking[: ranking.index(best)] if one in exclusions)
