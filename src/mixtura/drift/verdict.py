"""One verdict: keep the model, update it, or search again; and the three causes, kept apart."""

from __future__ import annotations

from dataclasses import dataclass

from mixtura.drift.change import FAMILIES, Change
from mixtura.drift.comparison import Comparison
from mixtura.drift.new_segment import NewSegment

__all__ = ["VERDICTS", "Verdict", "judge"]

VERDICTS = ("keep", "update", "refit")
"""From the least to the most that is to be done."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a model.

    A change counts only where chance does not explain it and its effect is large enough to matter, so that a verdict
    does not follow from the number of rows: of very many rows chance explains little, and small changes are found that
    do not matter.

    Parameters
    ----------
    word : {"keep", "update", "refit"}
        ``"update"``: the segments are the same, and estimating them again from new rows will do. ``"refit"``: they
        are not; search again.
    decisive : Change or None
        The change that decided: of those found, the largest for what matters in its family, one of shares or segments
        where there is such, as a worse fit follows from it; for ``"keep"`` the one with the smallest p-value.
    mix, segments, new_kind : bool
        The causes that were found: other shares, segments that moved, a new kind of customer.
    unexpected : bool
        Whether the model expects the new rows less than its own without any of these causes explaining it.
    """

    word: str
    decisive: Change | None
    mix: bool
    segments: bool
    new_kind: bool
    unexpected: bool

    @property
    def rank(self) -> int:
        """Place among `VERDICTS`."""
        return VERDICTS.index(self.word)


def judge(
    comparison: Comparison, new_segment: NewSegment | None = None, known_kinds: Comparison | None = None
) -> Verdict:
    """Return the verdict on a model.

    Parameters
    ----------
    comparison : Comparison
    new_segment : NewSegment or None, default=None
        What `find_new_segment` found.
    known_kinds : Comparison or None, default=None
        Without the rows of the new segment, which would look like others that moved.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.drift import compare_sums, drift_sums, judge, reference_of
    >>> from mixtura.engine import as_data
    >>> mixture = Mixture.from_parameters([1.0], [[0.0]], [[1.0]], "diag")
    >>> rows = np.random.RandomState(0).standard_normal((4000, 1))
    >>> reference = reference_of(as_data(rows[:2000]), mixture)
    >>> for shift in (0.0, 0.5, 3.0):
    ...     after = drift_sums(as_data(rows[2000:] + shift), mixture, reference.cuts)
    ...     print(judge(compare_sums(reference, after)).word)
    keep
    update
    refit
    """
    found = [one for one in comparison.changes if one.is_found]
    severe = [one for one in found if one.is_severe]
    known = found if known_kinds is None else [one for one in known_kinds.changes if one.is_found]
    causes = {FAMILIES[one.family].cause for one in known}
    new = new_segment is not None
    word = "refit" if new or severe else "update" if found else "keep"
    if new:
        decisive: Change | None = next(iter(comparison.of_family("tail")))
    elif found:
        decisive = max(_named(severe) or severe or _named(found) or found, key=_size)
    else:
        decisive = min(comparison.changes, key=lambda one: one.p_adjusted, default=None)
    explained = new or causes & {"mix", "segments"}
    return Verdict(
        word, decisive, "mix" in causes, "segments" in causes, new, "fit" in causes and not explained
    )


def _named(changes: list[Change]) -> list[Change]:
    """Return those that say what changed among customers, and not only that the model fits worse."""
    return [one for one in changes if FAMILIES[one.family].cause != "fit"]


def _size(change: Change) -> float:
    """Return the effect as a multiple of what matters in its family."""
    return abs(change.effect) / FAMILIES[change.family].matters
