"""Whether the same segments are found again in resampled customers (Dolnicar and Leisch 2010, 2017; Hennig 2007)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.parts.known_labels import columns_alone
from mixtura.core.protocols import RowTable
from mixtura.exceptions import MixturaError, ParameterError
from mixtura.segments.certainty.certainty_summary import MeanCertaintySummary
from mixtura.segments.comparison.agreement import best_jaccard, contingency_table, pairwise_adjusted_rand
from mixtura.segments.comparison.transitions import Flow, TransitionsSummary, transitions_of
from mixtura.segments.merging.grouped import segment_labels
from mixtura.segments.model.robust_file import components_alone
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.scan import Summary, scan_of
from mixtura.segments.stability.resample import Refits, refit_labels
from mixtura.segments.stability.stability_measures import NumberStability, SegmentStability, Stability
from mixtura.segments.stability.stability_verdict import STABLE, classify_stability
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.weighted import effective_counts
from mixtura.select import search
from mixtura.validation import Interval, require

__all__ = ["SAMPLE_ROWS", "assess_stability"]

SAMPLE_ROWS = 5_000
"""Rows that are drawn from larger tables, and resampled."""

_DISSOLVED = 0.5
"""Jaccard similarity of a segment that is dissolved (Hennig 2008)."""

_INTERVAL = (0.05, 0.95)

_STARTS = 3
"""Least number of restarts per resample: a single start may reach a poor optimum."""


def assess_stability(
    model: SegmentModel,
    rows: RowTable,
    *,
    weights: FloatArray | None = None,
    n_bootstraps: int = 50,
    numbers: Iterable[int] | None = None,
    mixtures: Mapping[int, Mixture] | None = None,
    n_init: int | None = None,
    sample_rows: int = SAMPLE_ROWS,
    seed: int | None = None,
    on_resample: Callable[[int, int], object] | None = None,
    refits: Refits | None = None,
) -> Stability:
    """Learn the mixture again from resampled customers, and see whether the same segments come out.

    Components that were merged are merged in each resample again, to as many segments, by the entropy.
    Mixtures of the same covariance family, kept from collapsing by the same prior and learned from resamples (see
    `refit_labels`), partition the original rows. Where the model has noise, the rows are those in a segment, and
    resamples of them have none; t components are learned again as such.
    The *adjusted Rand index* of each two of these partitions says how stable a number of segments is (Dolnicar and
    Leisch 2010). For each segment the *Jaccard similarity* to the most similar segment of a resample, averaged over
    the resamples, says how stable it is (Hennig 2007; on the original rows as Dolnicar and Leisch 2017 do).

    Parameters
    ----------
    model : SegmentModel
    rows : ndarray of shape (N, D)
        What the model was learned from, in the user's units.
    weights : ndarray of shape (N,) or None, default=None
        Of the rows. A customer is drawn with its weight, and counts with it in every agreement and similarity; one
        of weight zero is not looked at.
    n_bootstraps : int, default=50
        Resamples, at least 2.
    numbers : iterable of int or None, default=None
        Numbers of segments to look at beside the model's own; None for one fewer (not below 2) and one more.
    mixtures : mapping of int to Mixture, optional
        Mixtures of the standardized rows with K - 1 and K + 1 components, for the flows; learned where absent.
    n_init : int or None, default=None
        Starts per resample; None for those that the model was learned with, but at least 3: a start that ends in a poor
        optimum would otherwise pass for a property of the customers.
    sample_rows : int, default=5,000
        Of larger tables this many rows are drawn without replacement and resampled. Fewer rows vary more: what is
        stable in a sample is stable in the table, but not the other way round.
    seed : int or None, default=None
        None for the model's own.
    on_resample : callable, optional
        Called after each resample with how many are done, and how many there are; from several threads.
    refits : dict, optional
        What was learned from resamples before, such as `ModelChoice.refits`: the same is not learned again.

    Returns
    -------
    Stability

    Raises
    ------
    ParameterError
        Fewer than 2 resamples, a number of segments below 1, or a sample with fewer rows than segments.
    MixturaError
        In fewer than 2 resamples a mixture could be learned.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import assess_stability, segment_table
    >>> found = segment_table(make_customers(kind="five", as_frame="polars"), components=[5])
    >>> stability = assess_stability(found.model, found.rows, n_bootstraps=10)
    >>> stability.verdict.value, [segment.word for segment in stability.segments]
    ('natural', ['highly stable', 'highly stable', 'highly stable', 'highly stable', 'highly stable'])
    """
    k, training = model.n_segments, model.training
    rows, weights = positive_weight(rows, weights)
    asked = sorted({k, *(_neighbors(model, len(rows)) if numbers is None else numbers)})
    _check(n_bootstraps, asked, min(len(rows), sample_rows))
    starts = max(training.n_init, _STARTS) if n_init is None else n_init
    plan = {"n_bootstraps": n_bootstraps, "n_init": starts, "seed": training.seed if seed is None else seed}
    used, counted = _sample(rows, weights, sample_rows, plan["seed"])
    partitions = _partitions(model, used, counted, asked, plan, refits, on_resample)
    used, rows = model.scaling.seen(columns_alone(used)), columns_alone(rows)
    stabilities = tuple(_of_number(number, partitions[number], counted) for number in asked)
    overall = next(one for one in stabilities if one.n_segments == k)
    segments = _of_segments(model, used, counted, partitions[k])
    error, flows = _scanned(model, rows, weights, _neighboring(model, rows, weights, asked, mixtures or {}))
    return Stability(
        verdict=classify_stability(overall.adjusted_rand, [one.jaccard for one in segments], error),
        reason=_reason(overall, segments, error),
        n_segments=k,
        overall=overall,
        numbers=stabilities,
        segments=segments,
        expected_error=error,
        flows=flows,
        n_rows=len(rows),
        n_rows_used=len(used),
        **plan,
    )


def positive_weight(rows: RowTable, weights: FloatArray | None) -> tuple[RowTable, FloatArray | None]:
    return (rows, None) if weights is None else (rows[weights > 0], weights[weights > 0])


def _neighbors(model: SegmentModel, n_rows: int) -> list[int]:
    """Return one fewer and one more; a single segment beside two says nothing, and there are no more than rows."""
    k = model.n_segments
    return [number for number in (k - 1, k + 1) if 1 < number <= n_rows and not model.groups]


def _check(n_bootstraps: int, numbers: Sequence[int], n_rows: int) -> None:
    require("n_bootstraps", n_bootstraps, Interval(2, whole=True), "Try `n_bootstraps=50`.")
    if numbers[0] < 1 or n_rows < 2:
        raise ParameterError(
            f"`numbers` must be at least 1, and at least 2 rows resampled; got {list(numbers)!r} and {n_rows!r} rows. "
            "Try `sample_rows=5_000`."
        )


def _sample(
    rows: RowTable, weights: FloatArray | None, sample_rows: int, seed: int
) -> tuple[RowTable, FloatArray | None]:
    counted = None if weights is None else effective_counts(weights)
    if len(rows) <= sample_rows:
        return rows, counted
    chosen = np.sort(np.random.RandomState(seed).choice(len(rows), size=sample_rows, replace=False))
    return rows[chosen], None if counted is None else counted[chosen]


def _partitions(
    model: SegmentModel, rows: RowTable, weights: FloatArray | None, numbers: Sequence[int], plan: Mapping[str, int],
    refits: Refits | None, on_resample: Callable[[int, int], object] | None,
) -> dict[int, list[IntArray]]:  # fmt: skip
    found, each = dict[int, list[IntArray]](), plan["n_bootstraps"]

    def observe(done: int) -> None:
        if on_resample is not None:
            on_resample(len(found) * each + done, len(numbers) * each)

    for number in numbers:
        found[number] = _refit(model, rows, weights, number, plan, refits, observe)
    return found


def _refit(
    model: SegmentModel, rows: RowTable, weights: FloatArray | None, number: int, plan: Mapping[str, int],
    refits: Refits | None, observe: Callable[[int], object],
) -> list[IntArray]:  # fmt: skip
    found = refit_labels(
        model.scaling.seen(rows), model.mixture.covariance_type,
        model.mixture.n_components if model.groups else number, n_segments=number,
        n_bootstraps=plan["n_bootstraps"], n_init=plan["n_init"], seed=plan["seed"], weights=weights,
        prior=model.training.prior, rounding=scaled_steps(rows, model.scaling), tails=model.mixture.tails is not None,
        on_resample=observe, refits=refits,
    )  # fmt: skip
    if len(found) < 2:
        raise MixturaError(
            f"At least 2 resamples must be fitted; of {plan['n_bootstraps']} resamples of {len(rows)} rows, "
            f"{len(found)} had a mixture of {number} segments. Use more resamples, or fewer segments."
        )
    return found


def _of_number(number: int, partitions: Sequence[IntArray], weights: FloatArray | None) -> NumberStability:
    agreements = pairwise_adjusted_rand(partitions, number, weights)[np.triu_indices(len(partitions), 1)]
    lower, upper = np.quantile(agreements, _INTERVAL)
    return NumberStability(
        number, float(np.mean(agreements)), float(lower), float(upper), n_bootstraps=len(partitions)
    )


def _of_segments(
    model: SegmentModel, rows: RowTable, weights: FloatArray | None, partitions: Sequence[IntArray]
) -> tuple[SegmentStability, ...]:
    k, labels = model.n_segments, segment_labels(components_alone(model.mixture), rows, model.groups)
    # Shape (B, K): similarities by resample and segment.
    found = np.stack([best_jaccard(contingency_table(labels, other, k, k, weights)) for other in partitions])
    lower, upper = np.quantile(found, _INTERVAL, axis=0)
    return tuple(
        SegmentStability(
            number=segment + 1,
            name=model.names[segment],
            jaccard=float(found[:, segment].mean()),
            lower=float(lower[segment]),
            upper=float(upper[segment]),
            recovered=float((found[:, segment] >= STABLE).mean()),
            dissolved=float((found[:, segment] <= _DISSOLVED).mean()),
        )
        for segment in range(k)
    )


def _neighboring(
    model: SegmentModel,
    rows: RowTable,
    weights: FloatArray | None,
    asked: Sequence[int],
    mixtures: Mapping[int, Mixture],
) -> list[Mixture]:
    """Return the mixtures with one component fewer and one more, as far as they are asked for."""
    numbers = [number for number in asked if abs(number - model.n_segments) == 1]
    found = [mixtures.get(number) or _learn(model, rows, weights, number) for number in numbers]
    return [components_alone(one) for one in found]


def _scanned(
    model: SegmentModel, rows: RowTable, weights: FloatArray | None, neighbors: Sequence[Mixture]
) -> tuple[float, tuple[Flow, ...]]:
    """Return the expected error, and the transitions between the segments and those of each neighbor, in one pass."""
    k = model.n_segments
    summaries: list[Summary[Any]] = [
        MeanCertaintySummary(),
        *(TransitionsSummary(one, k) for one in neighbors),
    ]
    certainty, *tables = scan_of(model.mixture, model.scaling, rows, weights, groups=model.groups).run(
        summaries
    )
    flows = [transitions_of(table, model.names) for table in tables]
    turned = [
        flow.reverse() if one.n_components < k else flow for one, flow in zip(neighbors, flows, strict=True)
    ]
    return 1.0 - certainty, tuple(turned)


def _learn(model: SegmentModel, rows: RowTable, weights: FloatArray | None, number: int) -> Mixture:
    best = search(
        model.scaling.seen(rows),
        components=[number],
        covariance_types=[model.mixture.covariance_type],
        n_init=model.training.n_init,
        random_state=model.training.seed,
        sample_weight=weights,
        prior=model.training.prior,
        rounding=scaled_steps(rows, model.scaling),
        missing="fiml",
    ).best
    assert best.mixture is not None, "a search without any mixture has raised"
    return best.mixture


def _reason(overall: NumberStability, segments: Sequence[SegmentStability], error: float) -> str:
    if len(segments) < 2:
        return "A single segment has no others to compare with."
    known = [segment for segment in segments if not np.isnan(segment.jaccard)]
    weakest = min(known, key=lambda segment: segment.jaccard)
    return (
        f"Segments found in {overall.n_bootstraps} resamples agree with each other by {overall.adjusted_rand:.2f} "
        f"(adjusted Rand index; 1 is the same, 0 is chance). The least stable segment is {weakest.name!r}, with a "
        f"Jaccard similarity of {weakest.jaccard:.2f}. {100 * error:.1f} % of the customers are expected to belong "
        "to another segment than the one they are assigned to."
    )
