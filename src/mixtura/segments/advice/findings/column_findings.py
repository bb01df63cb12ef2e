"""Findings about single columns: constants, codes, point masses, rounding, skewness, heavy tails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.segments.advice.findings.finding import Arguments, Finding
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.table.rounding import rounding_step
from mixtura.segments.transforms.scaling import scaling_of

__all__ = ["ColumnStatistics", "column_findings", "column_statistics", "kurtosis", "skewness"]

SKEW = (1.0, 2.0)
"""Above 1 a distribution is highly skewed (Bulmer 1979), above 2 too much so for methods that assume normality (West,
Finch and Curran 1995)."""
TAILS = 7.0
"""Excess kurtosis from which tails are too heavy for methods that assume normality (West, Finch and Curran
1995)."""
SPIKE = (0.1, 0.3)
_HEAPED = 0.4
_FEW_VALUES = 10
_COARSE = 0.2
_ENOUGH_ROWS = 50
_NAMED = 8


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """Measures of one column's finite values.

    Parameters
    ----------
    name : str
    skewness : float
        ``m3 / m2^(3/2)`` of central moments with divisor N.
    kurtosis : float
        Excess kurtosis ``m4 / m2^2 - 3``.
    n_values : int
        Different values.
    spike, spike_share : float
        The most frequent value, and its share of the rows.
    step : float
        The coarsest of 1, 0.1, ..., 0.0001 that all values are multiples of; 0 for none.
    heaped : float
        Share of the values that are multiples of five steps; a fifth is expected.
    deviation : float
        Standard deviation, divisor N.
    lowest : float
    """

    name: str
    skewness: float
    kurtosis: float
    n_values: int
    spike: float
    spike_share: float
    step: float
    heaped: float
    deviation: float
    lowest: float


def skewness(values: FloatArray) -> float:
    """Return the third standardized moment; 0 where all values are equal."""
    return _moment(values, 3)


def kurtosis(values: FloatArray) -> float:
    """Return the fourth standardized moment less 3; -3 where all values are equal."""
    return _moment(values, 4) - 3


def _moment(values: FloatArray, power: int) -> float:
    deviations = values - values.mean()
    largest = np.abs(deviations).max()
    if largest == 0:
        return 0.0
    unit = deviations / largest
    return float((unit**power).mean() / np.square(unit).mean() ** (power / 2))


def column_statistics(name: str, values: FloatArray) -> ColumnStatistics:
    """Measure a column.

    Parameters
    ----------
    name : str
    values : ndarray of shape (N,)
        Finite, not all equal.
    """
    different, counts = np.unique(values, return_counts=True)
    most = int(counts.argmax())
    step = rounding_step(different)
    heaped = 0.0 if step == 0 else float((np.rint(values / step) % 5 == 0).mean())
    return ColumnStatistics(
        name=name,
        skewness=skewness(values),
        kurtosis=kurtosis(values),
        n_values=len(different),
        spike=float(different[most]),
        spike_share=float(counts[most] / len(values)),
        step=step,
        heaped=heaped,
        deviation=float(scaling_of(values[:, None]).scale[0]),
        lowest=float(different[0]),
    )


def column_findings(
    facts: Sequence[ColumnStatistics], choice: ColumnChoice, n_rows: int, needed: Arguments
) -> list[Finding]:
    """Return findings about single columns, each kind once for all columns it concerns.

    Parameters
    ----------
    facts : sequence of ColumnStatistics
    choice : ColumnChoice
    n_rows : int
    needed : mapping of str to object
        Arguments of `segment_table` that every suggestion needs.
    """
    others = _without(choice.building, needed)
    found = [_left_out(choice, "the same value", "constant"), _left_out(choice, "a code", "codes")]
    found += [_spikes(facts, others), _skew(facts, needed), _tails(facts)]
    if n_rows >= _ENOUGH_ROWS:
        found += [_few_values(facts, others), _coarse(facts), _heaping(facts)]
    return [finding for finding in found if finding is not None]


def _left_out(choice: ColumnChoice, reason: str, topic: str) -> Finding | None:
    names = tuple(column.name for column in choice.left_out if reason in column.reason)
    if not names:
        return None
    meaning = {
        "constant": "They do not distinguish customers, and a covariance with them is singular.",
        "codes": "Codes of categories have no distances; a density over them is a series of point masses.",
    }[topic]
    return Finding(
        topic=topic,
        severity="fine",
        measured=f"{_listed(names)}: {'the same value everywhere' if topic == 'constant' else 'up to 3 values'}",
        value=len(names),
        threshold=None,
        meaning=f"{meaning} Left out unless named.",
        action="",
        columns=names,
    )


def _without(used: Sequence[str], needed: Arguments) -> Callable[[Sequence[str]], Arguments | None]:
    """Return the function that gives the arguments with which columns are left out."""

    def arguments(names: Sequence[str]) -> Arguments | None:
        kept = [name for name in used if name not in names]
        return {**needed, "columns": kept} if kept else None

    return arguments


def _spikes(
    facts: Sequence[ColumnStatistics], others: Callable[[Sequence[str]], Arguments | None]
) -> Finding | None:
    spiked = sorted(
        (one for one in facts if one.n_values > _FEW_VALUES and one.spike_share >= _spike_from(one)),
        key=lambda one: -one.spike_share,
    )
    if not spiked:
        return None
    worst = spiked[0].spike_share
    names = tuple(one.name for one in spiked)
    serious = tuple(one.name for one in spiked if one.spike_share >= SPIKE[1])
    said = _listed([f"{one.name} ({one.spike:g} in {one.spike_share:.0%} of the rows)" for one in spiked])
    return Finding(
        topic="point masses",
        severity="serious" if serious else "notable",
        measured=f"A single value makes up much of a column: {said}",
        value=worst,
        threshold=SPIKE[0],
        meaning="A component contracts onto the point mass; its likelihood grows without meaning, and it hides the "
        "other structure.",
        action="Make the point mass a group of its own (rows with the value, rows without), or leave the column out.",
        arguments=others(serious or names),
        columns=names,
    )


def _spike_from(one: ColumnStatistics) -> float:
    """Return the share that makes a point mass: rounded Gaussian values may have five times the average share."""
    return max(SPIKE[0], min(SPIKE[1], 5 / one.n_values))


def _skew(facts: Sequence[ColumnStatistics], needed: Arguments) -> Finding | None:
    skewed = sorted((one for one in facts if abs(one.skewness) > SKEW[0]), key=lambda one: -abs(one.skewness))
    if not skewed:
        return None
    worst = skewed[0].skewness
    return Finding(
        topic="skew",
        severity="serious" if abs(worst) > SKEW[1] else "notable",
        measured=f"Skewness of {_listed([f'{one.name} {one.skewness:.1f}' for one in skewed])}",
        value=worst,
        threshold=SKEW[0],
        meaning="A Gaussian is symmetric; a mixture spends components on the long tail that are not groups.",
        action="Transform these columns.",
        arguments={**needed, "transform": "auto"},
        columns=tuple(one.name for one in skewed),
    )


def _tails(facts: Sequence[ColumnStatistics]) -> Finding | None:
    heavy = sorted(
        (one for one in facts if one.kurtosis > TAILS and abs(one.skewness) <= SKEW[1]),
        key=lambda one: -one.kurtosis,
    )
    if not heavy:
        return None
    return Finding(
        topic="heavy tails",
        severity="notable",
        measured=f"Excess kurtosis of {_listed([f'{one.name} {one.kurtosis:.1f}' for one in heavy])}",
        value=heavy[0].kurtosis,
        threshold=TAILS,
        meaning="Far more rows are extreme than under a Gaussian; wide components collect them.",
        action="Expect a component of outliers, and interpret it as such.",
        columns=tuple(one.name for one in heavy),
    )


def _few_values(
    facts: Sequence[ColumnStatistics], others: Callable[[Sequence[str]], Arguments | None]
) -> Finding | None:
    few = [one for one in facts if one.n_values <= _FEW_VALUES]
    if not few:
        return None
    names = tuple(one.name for one in few)
    return Finding(
        topic="few values",
        severity="notable",
        measured=f"Different values of {_listed([f'{one.name} {one.n_values}' for one in few])}",
        value=min(one.n_values for one in few),
        threshold=_FEW_VALUES,
        meaning="They look like codes or ratings; a density over them is a series of point masses.",
        action="Leave them out of the fit, and describe the segments with them.",
        arguments=others(names),
        columns=names,
    )


def _coarse(facts: Sequence[ColumnStatistics]) -> Finding | None:
    coarse = [one for one in facts if one.n_values > _FEW_VALUES and one.step >= _COARSE * one.deviation > 0]
    if not coarse:
        return None
    said = [f"{one.name} ({one.step / one.deviation:.2g} deviations)" for one in coarse]
    return Finding(
        topic="rounding",
        severity="notable",
        measured=f"Values are rounded coarsely: {_listed(said)} from one value to the next",
        value=max(one.step / one.deviation for one in coarse),
        threshold=_COARSE,
        meaning="Narrow components may sit between two values; they are rounding, not groups.",
        action="Distrust components narrower than the rounding.",
        columns=tuple(one.name for one in coarse),
    )


def _heaping(facts: Sequence[ColumnStatistics]) -> Finding | None:
    heaped = [
        one
        for one in facts
        if one.heaped > _HEAPED and one.spike_share < _spike_from(one) and one.n_values > 2 * _FEW_VALUES
    ]
    if not heaped:
        return None
    return Finding(
        topic="heaping",
        severity="notable",
        measured=f"Multiples of five: {_listed([f'{one.name} {one.heaped:.0%}' for one in heaped])} of the values; "
        "20% are expected",
        value=max(one.heaped for one in heaped),
        threshold=_HEAPED,
        meaning="People rounded when they answered; heaped values look like narrow components.",
        action="Distrust components that sit on round numbers.",
        columns=tuple(one.name for one in heaped),
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
