"""One change that was looked for: how large it is, how sure, and whether it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

__all__ = ["FAMILIES", "LEVEL", "Change", "Family", "Jointly", "adjusted"]

LEVEL = 0.032
"""Share of tables without any change in which something is found, at most.

Below 5 %, so that 200 tables without change rarely have more than ten alarms, and what approximations add stays below.
"""


@dataclass(frozen=True, slots=True)
class Family:
    """Changes of one kind, which share a part of the level.

    Parameters
    ----------
    cause : {"mix", "segments", "fit"}
        What it is a sign of: other shares, segments that moved, rows that the model does not expect.
    part : float
        Of the level, relative to the others that were looked for. Most of it goes to the centers: the most frequent
        change, of as many columns as there are in each segment.
    matters, severe : float
        Size of the effect from which on a change is worth an update, and worth a new search.
    unit : str
        Of the effect.
    """

    cause: str
    part: float
    matters: float
    severe: float
    unit: str


FAMILIES = {
    "shares": Family("mix", 0.05, 0.10, float("inf"), "Cohen's w"),
    "center": Family("segments", 0.79, 0.10, 1.0, "standard deviations of the segment"),
    "spread": Family("segments", 0.02, 0.10, 0.7, "logarithm of the ratio of standard deviations"),
    "correlation": Family("segments", 0.03, 0.10, 0.7, "difference of correlations"),
    "levels": Family("segments", 0.04, 0.10, 0.7, "Cohen's w"),
    "likelihood": Family("fit", 0.02, 0.10, 1.0, "standard deviations of the log density"),
    "density": Family("fit", 0.01, 0.10, 1.0, "Cohen's w"),
    "tail": Family("fit", 0.08, 0.01, float("inf"), "share of the rows"),
}
"""What is looked for. 0.1 is a small effect in the sense of Cohen (1988), for w as for differences of means."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was looked for.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    segment : int or None
        From 0; None for all.
    columns : tuple of int
        Which columns: one, a pair, or none. Of the discrete ones where the family is ``"levels"``.
    effect, low, high : float
        Its size in the units of the family, and an interval at 95 %.
    p_value : float
        Of this one alone.
    p_adjusted : float, default=1
        Of everything that was looked for: below `LEVEL` where chance does not explain it.
    """

    family: str
    segment: int | None
    columns: tuple[int, ...]
    effect: float
    low: float
    high: float
    p_value: float
    p_adjusted: float = 1.0

    @property
    def is_beyond_chance(self) -> bool:
        return self.p_adjusted < LEVEL

    @property
    def is_found(self) -> bool:
        """Whether chance does not explain it, and it is large enough to matter."""
        return self.is_beyond_chance and abs(self.effect) >= FAMILIES[self.family].matters

    @property
    def is_severe(self) -> bool:
        """Whether it is found, and so large that a new search is needed."""
        return self.is_found and abs(self.effect) >= FAMILIES[self.family].severe


Jointly: TypeAlias = Mapping[tuple[str, int | None, tuple[int, ...]], float]
"""P-values adjusted for all of their family, by family, segment and columns."""


def adjusted(changes: list[Change], jointly: Jointly | None = None) -> tuple[Change, ...]:
    """Return changes with p-values adjusted for all of them, within the part of their family.

    By Bonferroni, but for those of a family that were tested together.

    Examples
    --------
    >>> from mixtura.drift.change import Change, adjusted
    >>> one = Change("likelihood", None, (), 0.2, 0.1, 0.3, 0.0004)
    >>> round(adjusted([one])[0].p_adjusted, 6)
    0.0004
    """
    counts = {name: sum(one.family == name for one in changes) for name in FAMILIES}
    total = sum(family.part for name, family in FAMILIES.items() if counts[name])
    known, found = jointly or {}, []
    for one in changes:
        within = known.get((one.family, one.segment, one.columns), counts[one.family] * one.p_value)
        found.append(replace(one, p_adjusted=min(1.0, within * total / FAMILIES[one.family].part)))
    return tuple(found)
