"""From a drift to its document."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.drift import FAMILIES, Change, Fall, MixtureDrift, NewSegment
from mixtura.drift.change import LEVEL
from mixtura.drift.moments.moments_by_segment import SegmentMoments
from mixtura.segments.change import Movers, PeriodDrift, Renewal, TableDrift
from mixtura.segments.results.changes.change_sentences import change_sentence, verdict_sentences
from mixtura.segments.results.changes.drift_document import DRIFT_FORMAT_VERSION, DriftDocument

__all__ = ["drift_document"]

_MOST_CHANGES, _MOST_MOVERS = 200, 20

Content = dict[str, Any]


def drift_document(found: TableDrift) -> DriftDocument:
    """Return the document of a drift.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import segment_table, with_reference
    >>> from mixtura.segments.change import drift_of_table
    >>> from mixtura.segments.results.changes.build_drift import drift_document
    >>> result = segment_table(make_customers(as_frame="polars"), components=[3])
    >>> model = with_reference(result.model, result.table)
    >>> document = drift_document(drift_of_table(model, make_customers(random_state=1, as_frame="polars")))
    >>> document.verdict.sentence
    'Keep the model: nothing changed beyond what chance explains.'
    """
    model, last = found.model, len(found.periods) - 1
    periods = [_period(found, one, number == last) for number, one in enumerate(found.periods)]
    content = {
        "format": "mixtura-drift",
        "format_version": DRIFT_FORMAT_VERSION,
        "mixtura_version": version("mixtura"),
        "source": found.source,
        "reference": {
            "label": found.reference_label,
            "rows": found.reference.sums.n_rows,
            "held_out": found.reference.held_out,
            "simulated": found.reference.simulated,
        },
        "columns": [*model.columns, *model.discrete_columns],
        "names": _names(model.names),
        "verdict": periods[-1]["verdict"],
        "periods": periods,
        "movers": None if found.movers is None else _movers(found, found.movers),
        "renewal": None if found.renewal is None else _renewal(found.renewal, model.names),
        "notes": list(found.notes),
    }
    return DriftDocument.model_validate(content)


def _names(names: tuple[str, ...]) -> list[Content]:
    return [{"number": k + 1, "name": name} for k, name in enumerate(names)]


def _period(found: TableDrift, one: PeriodDrift, is_last: bool) -> Content:
    drift, model = one.drift, found.model
    comparison, shares = drift.comparison, drift.shares
    means = [_means(found, sums) for sums in (found.reference.sums, drift.known_kinds.after)]
    beyond = _beyond_chance(drift)
    density = comparison.of_family("density")[0]
    return {
        "label": one.label,
        "rows": comparison.after.n_rows,
        "rows_left_out": int(np.count_nonzero(~one.assignment.known)),
        "verdict": _verdict(found, one, means, _moved(found.movers) if is_last else None),
        "shares": [
            {
                "segment": k + 1,
                "before": shares.before[k],
                "before_half": shares.before_half[k],
                "after": shares.after[k],
                "after_half": shares.after_half[k],
            }
            for k in range(model.n_segments)
        ],
        "stability_index": shares.stability_index,
        "stability_index_expected": shares.stability_index_expected,
        "log_likelihood": _difference(comparison.log_likelihood),
        "tail": _difference(comparison.tail),
        "anomalies": None if comparison.anomalies is None else _difference(comparison.anomalies),
        "two_sample_p": density.p_value,
        "segments": [_segment(found, one, k) for k in range(model.n_segments)],
        "changes": [_change(found, each, means) for each in beyond[:_MOST_CHANGES]],
        "new_segment": None if drift.new_segment is None else _new_segment(found, drift.new_segment),
    }


def _beyond_chance(drift: MixtureDrift) -> list[Change]:
    """Return what chance does not explain: of segments among customers of known kinds, then of the fit among all."""
    fit = [one for one in drift.comparison.changes if FAMILIES[one.family].cause == "fit"]
    others = [one for one in drift.known_kinds.changes if FAMILIES[one.family].cause != "fit"]
    return [
        one
        for those in (others, fit)
        for one in sorted(those, key=lambda one: one.p_adjusted)
        if one.is_beyond_chance
    ]


def _means(found: TableDrift, sums: Any) -> FloatArray:
    """Return the centers of the segments in the units of the columns, (K, D); NaN without rows."""
    model, moments = found.model, SegmentMoments(sums)
    widths = np.sqrt(np.diagonal(model.mixture.full_covariances(), axis1=1, axis2=2))
    return model.scaling.restore(model.mixture.means + moments.means * widths)


def _moved(movers: Movers | None) -> str | None:
    """Return how many customers moved in words, None where chance explains it; movers are those of the last period."""
    if movers is None or movers.migration.moved_interval[0] <= 0:
        return None
    of_all = f"{movers.moved:,} of {movers.ids.size:,} customers are in another one"
    return f"but {of_all}, where chance explains {movers.migration.moved_expected:,.0f}"


def _verdict(found: TableDrift, one: PeriodDrift, means: list[FloatArray], moved: str | None) -> Content:
    verdict = one.drift.verdict
    decisive = None if verdict.decisive is None else _change(found, verdict.decisive, means)
    reason = None if decisive is None else decisive["sentence"]
    new = one.drift.new_segment
    if new is not None:
        reason = (
            f"a new kind of customer makes up {100 * new.share:.1f} % of them "
            f"({100 * new.low:.1f} to {100 * new.high:.1f} %)"
        )
    beyond = verdict.decisive is not None and verdict.decisive.is_beyond_chance
    sentence, why = verdict_sentences(verdict.word, reason, beyond_chance=beyond, moved=moved)
    return {
        "word": verdict.word,
        "sentence": sentence,
        "reason": why,
        "mix": verdict.mix,
        "segments": verdict.segments,
        "new_kind": verdict.new_kind,
        "unexpected": verdict.unexpected,
        "decisive": decisive,
        "level": LEVEL,
    }


def _change(found: TableDrift, change: Change, means: list[FloatArray]) -> Content:
    model, family = found.model, FAMILIES[change.family]
    coding = model.coding
    if change.family == "levels" and coding is not None:
        columns = [coding.columns[j].name for j in change.columns]
    else:
        columns = [model.columns[d] for d in change.columns]
    before = after = None
    if change.family == "center" and change.segment is not None:
        before, after = (float(one[change.segment, change.columns[0]]) for one in means)
    return {
        "family": change.family,
        "cause": family.cause,
        "segment": None if change.segment is None else change.segment + 1,
        "columns": columns,
        "effect": change.effect,
        "low": change.low,
        "high": change.high,
        "unit": family.unit,
        "before": before,
        "after": after,
        "p_value": change.p_value,
        "p_adjusted": change.p_adjusted,
        "matters": change.is_found,
        "sentence": change_sentence(change, model.names, columns, before, after),
    }


def _difference(fall: Fall) -> Content:
    return {name: getattr(fall, name) for name in ("before", "after", "difference", "low", "high", "p_value")}


def _segment(found: TableDrift, one: PeriodDrift, k: int) -> Content:
    columns, drift = found.model.columns, one.drift.segments[k]
    shares = found.reference.sums.shares, one.drift.known_kinds.after.shares
    numbers = ("hellinger", "hellinger_expected", "divergence", "divergence_expected")
    return {
        "segment": k + 1,
        "rows_before": float(shares[0][k]),
        "rows_after": float(shares[1][k]),
        "shifts": {} if drift is None else dict(zip(columns, drift.shifts.tolist(), strict=True)),
        "spreads": {} if drift is None else dict(zip(columns, drift.spreads.tolist(), strict=True)),
        **{name: None if drift is None else getattr(drift, name) for name in numbers},
    }


def _new_segment(found: TableDrift, new: NewSegment) -> Content:
    columns = found.model.columns
    center = found.model.scaling.restore(new.mean[None])[0]
    return {
        "share": new.share,
        "low": new.low,
        "high": new.high,
        "customers": int(new.rows.size),
        "nearest": new.nearest + 1,
        "values": dict(zip(columns, center.tolist(), strict=True)),
        "distances": dict(zip(columns, new.distances.tolist(), strict=True)),
        "p_value": new.p_value,
    }


def _movers(found: TableDrift, movers: Movers) -> Content:
    migration = movers.migration
    low, high = migration.moved_interval
    before, after = movers.numbers(movers.before), movers.numbers(movers.after)
    return {
        "before": found.movers_labels[0],
        "after": found.movers_labels[1],
        "id_column": movers.id_name,
        "customers": int(movers.ids.size),
        "only_before": movers.only_before,
        "only_after": movers.only_after,
        "moved": movers.moved,
        "expected": migration.moved_expected,
        "beyond_chance": migration.moved_beyond_chance,
        "low": low,
        "high": high,
        "value_column": None
        if movers.values_before is None and movers.values_after is None
        else movers.value,
        "matrix": migration.counts.tolist(),
        "paths": _paths(movers),
        "strongest": [
            {
                "id": str(movers.ids[row]),
                "before": int(before[row]),
                "after": int(after[row]),
                "distance": float(movers.distances[row]),
            }
            for row in range(min(_MOST_MOVERS, movers.ids.size))
            if movers.distances[row] > 0
        ],
    }


def _paths(movers: Movers) -> list[Content]:
    migration = movers.migration
    values = [movers.value_moved(one) for one in (movers.values_before, movers.values_after)]
    numbers = movers.numbers(np.arange(len(movers.names))).tolist()
    found = []
    for i, j in np.argwhere(migration.counts > 0).tolist():
        if i == j:
            continue
        excess, half = float(migration.excess[i, j]), float(migration.half_width[i, j])
        found.append(
            {
                "before": numbers[i],
                "after": numbers[j],
                "customers": int(migration.counts[i, j]),
                "expected": float(migration.expected[i, j]),
                "beyond_chance": float(migration.beyond_chance[i, j]),
                "low": excess - half,
                "high": excess + half,
                "value_before": None if values[0] is None else float(values[0][i, j]),
                "value_after": None if values[1] is None else float(values[1][i, j]),
            }
        )
    return sorted(found, key=lambda path: -path["customers"])


def _renewal(renewal: Renewal, names: tuple[str, ...]) -> Content:
    return {
        "kind": renewal.kind,
        "segments": _names(renewal.model.names),
        "events": [
            {"kind": one.kind, "before": [i + 1 for i in one.before], "after": [j + 1 for j in one.after]}
            for one in renewal.matching.events
        ],
        "sentences": list(renewal.sentences(names)),
    }
