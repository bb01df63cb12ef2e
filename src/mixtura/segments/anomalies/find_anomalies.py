"""The anomalies of a table, or of a source that is read in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.anomaly.false_discoveries import control_false_discoveries, excess_of
from mixtura.anomaly.fitted_detector import FittedDetector, learn_detector
from mixtura.anomaly.member_draws import make_recipe
from mixtura.segments.anomalies.scored_rows import ScoredRows, learn_rows, rows_to_score
from mixtura.segments.anomalies.source_anomalies import SourceAnomalies
from mixtura.segments.anomalies.table_anomalies import TableAnomalies
from mixtura.validation import PROBABILITY, Interval, as_seed, require

__all__ = ["THRESHOLDS", "find_anomalies"]

THRESHOLDS = ("conformal", "tail", "percentile")
"""What `threshold` may be."""


def find_anomalies(
    frame: Any,
    *,
    reference: Any = None,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    threshold: str = "conformal",
    fdr: float = 0.1,
    contamination: float = 0.04,
    drop_missing: bool = False,
    random_state: int = 0,
) -> TableAnomalies | SourceAnomalies:
    """Find the anomalies of a table, and say why they are.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table, or Source
        A row per customer, say. Columns are chosen as `mixtura.segments.segment_table` does. A source is read in parts:
        262,144 rows drawn at random choose the columns, and numbers are kept per row, no row itself.
    reference : table, Source or None, default=None
        Normal rows with the same columns; p-values are then conformal. By default the table itself says what is normal.
    columns : sequence of str or None, default=None
    id_column : str or None, default=None
        By default one that looks like an id.
    threshold : {"conformal", "tail", "percentile"}, default="conformal"
        ``"percentile"``: the strangest rows, of a given share. The others flag p-values at a rate of false discoveries:
        tail probabilities of the fitted density, or those calibrated by rows held out; see
        `mixtura.GaussianMixtureOutlierDetector`.
    fdr : float, default=0.1
        Expected share of normal rows among those flagged.
    contamination : float, default=0.04
        The share that ``threshold="percentile"`` flags, above 0 and at most 0.5.
    drop_missing : bool, default=False
        Leave out rows with missing values, instead of scoring them by the values that they have.
    random_state : int, default=0

    Returns
    -------
    TableAnomalies, or SourceAnomalies for a source

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    ColumnError, TableError
        A column is missing or not numeric, or none is left.
    MissingValuesError, TooFewRowsError, DataError
        The rows cannot be used.

    Examples
    --------
    >>> from mixtura.segments.anomalies import find_anomalies
    >>> from mixtura.datasets import make_customers
    >>> found = find_anomalies(make_customers(as_frame="polars"), threshold="percentile", contamination=0.01)
    >>> int(found.flagged.sum()), sorted(found.why(found.order[0])[0])
    (3, ['column', 'contribution', 'expected', 'value'])
    """
    require("threshold", threshold, THRESHOLDS, "Try `threshold='conformal'`.")
    require("fdr", fdr, PROBABILITY, "Try `fdr=0.1`.")
    require("contamination", contamination, Interval(0, 0.5, open_low=True), "Try `contamination=0.04`.")
    seed = int(np.random.RandomState(as_seed(random_state)).randint(2**31 - 1))
    normal, own = frame if reference is None else reference, id_column if reference is None else None
    learned = learn_rows(normal, columns, own, drop_missing=drop_missing, seed=random_state)
    detector = learn_detector(learned.rows, None, make_recipe(reference is not None, seed))
    scored = learned
    if reference is not None:
        scored = rows_to_score(
            frame, learned.columns, id_column, drop_missing=drop_missing, seed=random_state
        )
        scored = replace(scored, notes=(*learned.left_out, *scored.notes))
    return _judged(detector, scored, threshold, fdr, contamination)


def _judged(
    detector: FittedDetector, scored: ScoredRows, threshold: str, fdr: float, contamination: float
) -> TableAnomalies | SourceAnomalies:
    rows, p_values = scored.rows, _p_values(detector, scored.rows, threshold)
    scores, flagged, stability = _flagged(detector, rows, p_values, threshold, fdr, contamination)
    excess, rate = excess_of(p_values), contamination if threshold == "percentile" else fdr
    judged = scores, p_values, flagged
    if scored.table is not None:
        return SourceAnomalies(
            scored.id_name,
            scored.table,
            detector,
            scored.columns,
            *judged,
            stability,
            excess,
            threshold,
            rate,
            scored.notes,
        )
    return TableAnomalies(
        scored.id_name,
        scored.ids,
        np.asarray(scored.complete),
        scored.columns,
        rows,
        *judged,
        detector.reasons(rows),
        stability,
        excess,
        threshold,
        rate,
        scored.notes,
    )


def _flagged(
    detector: FittedDetector, rows: FloatArray, p_values: FloatArray, threshold: str, fdr: float, share: float
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Return scores, which rows are flagged, and how stable that is."""
    if threshold == "percentile":
        scores = detector.scores(rows)
        return scores, scores < np.quantile(scores, share), detector.stability(rows, share)
    flagged = control_false_discoveries(p_values, fdr)
    # Of normal rows as many are so strange as the largest p-value that is flagged says.
    part = p_values[flagged].max(initial=0.0) if detector.all_normal else flagged.mean()
    scores, stability = detector.scores_and_stability(rows, float(part))
    return scores, flagged, stability


def _p_values(detector: FittedDetector, rows: FloatArray, threshold: str) -> FloatArray:
    if threshold == "tail":
        return np.asarray(np.exp(detector.log_tail_probabilities(rows)))
    return np.asarray(np.exp(detector.log_p_values(rows)))
