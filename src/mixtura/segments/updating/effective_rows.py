"""How many rows are left when rows count by their age, and what is said where hardly any are.

L. Kish (1965). Survey Sampling. Wiley: the effective number of rows, section 8.2.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mixtura._typing import BoolArray, FloatArray
from mixtura.exceptions import DataError
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.updating.half_life import Ages

__all__ = ["age_notes", "effective_rows", "require_rows_left"]

_FAINT = 1e-3
"""What a row counts that is as good as forgotten."""


def effective_rows(factors: FloatArray, kept: float, n_before: float) -> float:
    """Return how many rows that count alike would say as much: ``(sum w)^2 / sum w^2``.

    Parameters
    ----------
    factors : ndarray of shape (n,)
        How much the new rows count.
    kept : float
        How much each earlier one does.
    n_before : float
        How many there are.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.updating.effective_rows import effective_rows
    >>> effective_rows(np.array([1.0, 1.0]), 1.0, 3), effective_rows(np.array([1.0, 0.0]), 0.0, 3)
    (5.0, 1.0)
    """
    total, squared = float(factors.sum()) + kept * n_before, float(factors @ factors) + kept**2 * n_before
    return total**2 / squared if squared > 0 else 0.0


def require_rows_left(model: SegmentModel, ages: Ages, complete: BoolArray, time: str) -> None:
    """Raise `DataError` where no usable row counts, or all of them, with earlier ones, as too few would.

    Parameters
    ----------
    model : SegmentModel
    ages : Ages
    complete : ndarray of shape (N,), bool
        Which rows are usable.
    time : str
        The column that says when.
    """
    factors = ages.factors[complete]
    if not factors.any():
        raise DataError(
            f"No row of the table counts: each lacks a time in {time!r}, or is too old beside the latest times known, "
            f"{_latest(ages)}. Rows that count are required. Correct the latest where it is a placeholder (of the "
            "model, by going back to the one before it), or take a longer `half_life`."
        )
    n_before = _earlier(model)
    left, n_all = effective_rows(factors, ages.kept, n_before), n_before + (ages.known & complete).sum()
    needed = model.n_segments * (len(model.columns) + 1)
    if left < min(needed, 0.5 * n_all):
        raise DataError(
            f"By their age, all customers together count as {left:.1f} would; for {model.n_segments} segments in "
            f"{len(model.columns)} columns at least {needed} are required. The latest times known are "
            f"{_latest(ages)}, and ages are counted from the first of them. Correct it in {time!r} where it is a "
            "placeholder (rows without a time are left out), or take a longer `half_life`."
        )


def age_notes(model: SegmentModel, ages: Ages, complete: BoolArray, time: str) -> tuple[str, ...]:
    """Return what is to be said of the ages: rows without a time, times to come, and most rows as good as forgotten."""
    notes = list[str]()
    n_without = int((~ages.known).sum())
    if n_without:
        notes.append(f"{n_without:,} rows without a time in {time!r} are left out.")
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    if isinstance(ages.as_of, str) and datetime.fromisoformat(ages.as_of) > tomorrow:
        notes.append(
            f"The latest time, {ages.latest[0]}, is in the future. Ages are counted from it, in later updates too: "
            f"correct it in {time!r} where it is a placeholder."
        )
    n_before = _earlier(model)
    dated = ages.factors[ages.known & complete]
    faint, n_all = (
        (dated < _FAINT).sum() + (n_before if ages.kept < _FAINT else 0.0),
        len(dated) + n_before,
    )
    if faint > 0.5 * n_all:
        notes.append(
            f"{faint:,.0f} of {n_all:,.0f} customers count less than a thousandth by their age. The latest times "
            f"known are {_latest(ages)}: if the first is wrong, so is the model."
        )
    return tuple(notes)


def _earlier(model: SegmentModel) -> float:
    """Return as how many the rows learned from before count that are not forgotten."""
    if model.statistics is None or model.training.weight_column is not None:
        return float(model.training.rows)
    return model.statistics.weight


def _latest(ages: Ages) -> str:
    return ", ".join(ages.latest)
