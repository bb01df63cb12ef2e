"""Notes on a segmentation: what was excluded, what is doubtful, and what to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.fit import Outcome
from mixtura.segments.certainty.pair_residuals import residual_notes
from mixtura.segments.large.whole_table import WholeTable
from mixtura.segments.merging.grouped import Groups
from mixtura.segments.merging.merging_notes import merging_notes
from mixtura.segments.model.assign import Assignment
from mixtura.segments.model.candidate_choice import Exclusion
from mixtura.segments.results.choice_notes import choice_notes
from mixtura.segments.stability.model_choice import ModelChoice
from mixtura.segments.table.discrete.kinds import ColumnKind
from mixtura.segments.transforms.lone_values import lone_value_notes
from mixtura.segments.transforms.recommend_transform import TransformAdvice
from mixtura.segments.transforms.transforms import Transform, Winsorized
from mixtura.select import Candidate, SearchResult

if TYPE_CHECKING:
    from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = [
    "interruption_notes",
    "make_notes",
    "missing_by_segment_notes",
    "notes_of",
    "outlier_notes",
    "transform_notes",
    "value_notes",
    "weight_notes",
]

_NAMED = 6
"""Columns that are named at most."""

_SPIKE = 0.1
"""Share of zeros from which on a column is named."""

_APART, _CHANCE = 0.1, 1e-3
"""How far shares of missing values in segments must lie apart, and how rarely by chance, for a column to be named."""


def notes_of(result: SegmentationResult) -> tuple[str, ...]:
    """Return all sentences on the result, as Python names parameters."""
    assignment, model = result.assignment, result.model
    inside, k = assignment.labels[assignment.complete], model.n_segments
    further = (
        *result.table_notes,
        *(lone_value_notes(result.rows, result.columns.used, model.scaling) if result.whole is None else ()),
        *outlier_notes(model.mixture, assignment, result.robust_reason, model.groups),
        *missing_by_segment_notes(result.rows, inside, k, result.columns.used),
        *transform_notes(result.advice, model.scaling.transforms, result.columns.kinds, result.kept),
        *residual_notes(result.residuals, k),
        *merging_notes(model, result.merge, result.segment_merging),
        *value_notes(result.columns.value, result.values, result.weights),
        *weight_notes(result.columns.weight, result.weights),
    )
    passed = {one: result.exclusions[one] for one in result.excluded}
    return make_notes(
        result.ranking, result.best, assignment if result.whole is None else result.whole, result.columns.used,
        further, passed, min_share=result.min_share, choice=result.choice, ids_repeat=result.ids_repeat,
        drop_missing=result.drop_missing,
    )  # fmt: skip


def make_notes(
    ranking: Sequence[Candidate],
    best: Candidate,
    assignment: Assignment | WholeTable,
    columns: Sequence[str],
    further: Sequence[str] = (),
    passed: Mapping[Candidate, Exclusion] = MappingProxyType({}),
    *,
    min_share: float = 0.0,
    choice: ModelChoice | None = None,
    ids_repeat: bool = False,
    drop_missing: bool = False,
) -> tuple[str, ...]:
    """Return sentences: models excluded, the standard error that decided, tiny segments, rows left out, and more.

    `further` ones come last.
    """
    parts = "segments" if len(assignment.counts) == best.n_components else "components"
    notes = [*choice_notes(ranking, best, columns, passed, min_share, choice, parts)]
    small = np.flatnonzero(assignment.counts <= 1)
    if small.size and best.n_components > 1:
        notes.append(
            f"Segments with at most one customer: {', '.join(str(k + 1) for k in small)}. They may be "
            "outliers; otherwise try fewer segments with `components`."
        )
    n_incomplete = assignment.n_rows - assignment.n_complete - assignment.n_outliers
    if n_incomplete:
        notes.append(assignment.unknown_note("in no segment", drop_missing=drop_missing))
    if best.outcome is not None and best.outcome is not Outcome.NOT_REFINED and not best.converged:
        notes.append(best.outcome.explanation)
    if ids_repeat:
        notes.append(f"Values of {assignment.id_name!r} repeat: only their order distinguishes such rows.")
    return (*notes, *further)


def interruption_notes(found: SearchResult) -> tuple[str, ...]:
    """Return a sentence on a search that was interrupted; none where all models were fitted."""
    if not found.interrupted:
        return ()
    done = _count(len(found.candidates), "model")
    return (f"Unfinished: the search was interrupted after {done}; another may describe the table better.",)


def outlier_notes(
    mixture: Mixture, assignment: Assignment, reason: str | None, groups: Groups = ()
) -> tuple[str, ...]:
    """Return sentences on what the model has against outliers, and on those that it found."""
    notes = [] if reason is None else [reason]
    if mixture.background is not None:
        found = assignment.n_outliers
        notes.append(
            "No customer lies so far from all segments as to be an outlier."
            if not found
            else f"{_count(found, 'customer')} ({100 * found / int(assignment.known.sum()):.1f} %) "
            f"{'lies' if found == 1 else 'lie'} far from all segments: outliers, in none of them. Profiles, shares and "
            "stability are of the others."
        )
    if mixture.tails is not None:
        notes.append(
            f"{'Components' if groups else 'Segments'} have heavier tails than Gaussian ones: t distributions of "
            f"{_freedom(mixture.tails.freedom, groups)} degrees of freedom (30 and more are nearly Gaussian). "
            "Covariances are their scale matrices."
        )
    return tuple(notes)


def _freedom(freedom: FloatArray, groups: Groups) -> str:
    """Return degrees of freedom, each of a segment; of merged segments those of their components."""
    texts = [f"{one:.3g}" for one in freedom]
    if not groups:
        return ", ".join(texts)
    return ", ".join(
        f"{' and '.join(texts[k] for k in group)} (segment {number})"
        for number, group in enumerate(groups, start=1)
    )


def transform_notes(
    advice: Sequence[TransformAdvice],
    transforms: Sequence[Transform],
    kinds: Sequence[ColumnKind] = (),
    kept: object = None,
) -> tuple[str, ...]:
    """Return sentences on columns: those that the rule would transform and that are not, and spikes at zero.

    Parameters
    ----------
    advice : sequence of TransformAdvice, length D
    transforms : sequence of Transform, length D
        What was done.
    kinds : sequence of ColumnKind, default=()
        What columns are taken for: zeros that are modeled as a point mass need no sentence.
    kept : object, default=None
        Segments that are kept: their model says how columns are read, and nothing else can be asked for.
    """
    if kept is not None:
        return ()
    notes, modeled = [], {one.name for one in kinds if 0.0 in one.spikes}
    undone = [
        one
        for one, done in zip(advice, transforms, strict=True)
        if one.kind != "none" and done.kind == "none"
    ]
    if undone:
        said = "; ".join(f"{one.kind} of {one.column} ({one.reason})" for one in undone[:_NAMED])
        more = f"; and {len(undone) - _NAMED} more" if len(undone) > _NAMED else ""
        notes.append(
            f"{_count(len(undone), 'column')} would be closer to Gaussian if transformed: {said}{more}. "
            '`transform="auto"` tries whether that makes segments more stable and customers held out more likely, and '
            "transforms them if it does."
        )
    spikes = [one for one in advice if one.share_zero >= _SPIKE and one.column not in modeled]
    if spikes:
        said = ", ".join(f"{one.column} ({100 * one.share_zero:.0f} %)" for one in spikes[:_NAMED])
        more = f" and {len(spikes) - _NAMED} more" if len(spikes) > _NAMED else ""
        remedy = "" if kinds else ' `kinds="auto"` models zeros beside many other values as point masses.'
        notes.append(
            f"Many customers have exactly 0: {said}{more}. No transform spreads them; segments may form around having "
            f"any.{remedy}"
        )
    clipped = [
        one.column for one, done in zip(advice, transforms, strict=True) if isinstance(done, Winsorized)
    ]
    if clipped:
        notes.append(
            f"{', '.join(clipped)}: winsorized, so that densities and criteria are those of the moved values and not "
            "comparable with other transforms."
        )
    return tuple(notes)


def missing_by_segment_notes(
    rows: FloatArray, labels: IntArray, n_segments: int, columns: Sequence[str]
) -> tuple[str, ...]:
    """Return a sentence on columns whose values are missing more often in some segments: it may not be by chance.

    Pearson's chi-square of missing or not by segment, with Bonferroni's correction for the number of columns.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        NaN where a value is missing.
    labels : ndarray of shape (n,)
    n_segments : int
    columns : sequence of str
    """
    named = []
    sizes = np.bincount(labels, minlength=n_segments)
    for column, missing in zip(columns, np.isnan(rows).T, strict=True):
        counts = np.bincount(labels[missing], minlength=n_segments)[sizes > 0]
        present = sizes[sizes > 0]
        shares = counts / present
        if shares.size < 2 or np.ptp(shares) < _APART:
            continue
        expected = present * (counts.sum() / present.sum())
        statistic = float(((counts - expected) ** 2 * (1 / expected + 1 / (present - expected))).sum())
        if chdtrc(shares.size - 1, statistic) * len(columns) < _CHANCE:
            named.append(f"{column} ({100 * shares.min():.0f} to {100 * shares.max():.0f} %)")
    if not named:
        return ()
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    said = (
        f"Missing more often in some segments than in others: {', '.join(named[:_NAMED])}{more}. Estimates are right "
        "if the values that are known explain why; if not, as where the unhappy do not answer, means are biased. Find "
        "out what a missing value means."
    )
    return (said,)


def value_notes(
    value: str | None, values: FloatArray | None, weights: FloatArray | None = None
) -> tuple[str, ...]:
    """Return sentences on a value column of shape (N,), NaN where it is missing: negative values, no total."""
    if value is None or values is None:
        return ()
    there = ~np.isnan(values)
    known = values[there]
    negative = int(np.count_nonzero(known < 0))
    total = known.sum() if weights is None else known @ weights[there]
    if total <= 0:
        return (f"The total of {value!r} is not above zero: there are no shares of it.",)
    if negative:
        who = _count(negative, "customer")
        return (f"{who} with a negative {value!r}: shares are of the sum, in which they are subtracted.",)
    return ()


def weight_notes(weight: str | None, weights: FloatArray | None) -> tuple[str, ...]:
    """Return sentences on the weights of the complete rows, shape (N,): what they count for, and whether in counts."""
    if weight is None or weights is None:
        return ()
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    said = (
        f"Shares, means, quantiles and values count each customer {weight!r} times; numbers of customers are those in "
        f"the list. The effective base (Kish) is {effective:,.0f} of {_count(weights.size, 'customer')}."
    )
    n_rows, total = int(np.count_nonzero(weights)), float(weights.sum())
    if 2 * total >= n_rows:
        return (said,)
    doubt = (
        f"The weights sum to {total:.4g} for {_count(n_rows, 'customer')}, and criteria count as many rows. "
        "If they are shares, multiply them until they sum to the number of customers."
    )
    return said, doubt


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
