"""All statistics of the segments of a model, from two passes: one evaluates, one finds quantiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mixtura._typing import Array, FloatArray
from mixtura.core.parts.known_labels import without_known
from mixtura.core.protocols import RowTable, continuous_rows
from mixtura.segments.certainty.certainty import Certainty
from mixtura.segments.certainty.certainty_summary import AmbiguousSummary, CertaintySummary
from mixtura.segments.certainty.pair_residuals import PairResidual, PairSummary
from mixtura.segments.mergeable import TopRows
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.compute import ProfileInput, profile_summaries
from mixtura.segments.profiles.profile_columns import Categories, Numbers
from mixtura.segments.scan import Scores, Summary, scan_of

__all__ = ["Measured", "measure_segments", "pair_summaries"]

AMBIGUOUS_BELOW = 0.6
"""Membership below which a customer is ambiguous."""

MOST_AMBIGUOUS = 300
"""The least certain customers, of whom at most these are listed."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of the rows of a segmentation once they are evaluated.

    Parameters
    ----------
    scores : Scores
        Of every row; log densities are those of scaled rows.
    profiles : ProfileInput
        What profiles are made of.
    certainty : Certainty
    ambiguous : TopRows
        The 300 rows with the smallest certainty.
    residuals : tuple of PairResidual
        Of all pairs of discrete columns, the largest first.
    """

    scores: Scores
    profiles: ProfileInput
    certainty: Certainty
    ambiguous: TopRows
    residuals: tuple[PairResidual, ...] = ()


def measure_segments(
    model: SegmentModel,
    rows: RowTable,
    weights: FloatArray | None,
    numbers: Sequence[Numbers],
    levels: Sequence[Categories],
    *,
    value: str | None,
    customer: Callable[[int], tuple[int, str]],
) -> Measured:
    """Evaluate the rows of a model once, and gather all statistics of its segments.

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D)
        Complete, in the user's units.
    weights : ndarray of shape (N,) or None
    numbers : sequence of Numbers
        The active columns first, in the order of the model.
    levels : sequence of Categories
    value : str or None
        Which of `numbers` is the value.
    customer : callable
        From the number of a row to its number in the table and the id of its customer.
    """
    plain = continuous_rows(rows)
    described: dict[str, Array] = {one.name: one.values for one in numbers if one.name not in model.columns}
    described |= {one.name: one.codes for one in levels}
    scan = scan_of(model.mixture, model.scaling, rows, weights, described=described, groups=model.groups)
    scores, sample = Scores.empty(len(rows), model.n_segments), scan.sample()
    gathered, columns = profile_summaries(model, numbers, levels, sample)
    first: list[Summary[Any]] = [
        *columns,
        CertaintySummary(model.names, sample.certainty, AMBIGUOUS_BELOW),
        AmbiguousSummary(MOST_AMBIGUOUS),
        *gathered,
    ]
    pairs = pair_summaries(model)
    *found, residuals = [*scan.run([*first, *pairs], scores), ()][: len(first) + 1]
    exact = scan.again(found[: len(columns) + 1], scores)
    ambiguous, sizes, scaled, typical, *counts = found[len(columns) + 1 :]
    profiles = ProfileInput(
        model=model,
        sizes=sizes,
        scaled=scaled,
        typical=typical,
        numbers=list(zip(numbers, exact[:-1], strict=True)),
        levels=list(zip(levels, counts, strict=True)),
        value=value,
        customer=customer,
        rows=plain,
    )
    return Measured(scores, profiles, exact[-1], ambiguous, residuals)


def pair_summaries(model: SegmentModel) -> list[PairSummary]:
    """Return the summary of the pairs of discrete columns, where a model has such columns."""
    coding, table = model.coding, without_known(model.mixture).levels
    # Within segments of several components discrete columns depend as these say.
    return [] if coding is None or table is None or model.groups else [PairSummary(coding, table)]
