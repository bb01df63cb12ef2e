"""A model, and what it says of a new table, on the terminal."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes
from mixtura.cli.option_names import notes_with_options, with_options
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.cli.printing.print_columns import print_pairs
from mixtura.segments import IMPORTED, Assignment, SegmentModel, TrainingInfo
from mixtura.segments.large.assigning.assign_source import AssignedSource
from mixtura.segments.merging.grouped import united
from mixtura.segments.table.discrete.kinds import KIND_WORDS

__all__ = ["print_assignment", "print_model"]

_MOST_LEVELS = 8
"""Levels of a column that are listed, at most."""

_TITLE, _SHARE = 30, 13
"""Characters that names of levels take at most in front of a piece of their table, and each segment in it."""

_FIRST_YEAR, _LAST_YEAR, _YEARS_APART = 1850, 2100, 2.0


def print_model(console: Console, name: str, model: SegmentModel) -> None:
    """Print how a model came about, and its segments in the user's units."""
    training = model.training
    covariances = model.mixture.covariance_type if model.columns else "none"
    console.print(Text.assemble((name, "bold"), f": {model.n_segments} segments of customers"))
    threshold = (
        "none" if model.anomaly_threshold is None else f"log density below {model.anomaly_threshold:.4f}"
    )
    pairs = [
        *([("Columns", ", ".join(model.columns))] if model.columns else []),
        *_discrete(model),
        *_transforms(model),
        ("Customer", training.id_column or "row number"),
        (
            "Covariances",
            f"{covariances}, {_parameters(model)}",
        ),
        *_merged(model),
        *_robust(model),
        *_choice(training),
        ("Anomalies", f"{threshold} (percentile {model.anomaly_percentile:g})"),
    ]
    print_pairs(console, [*_origin(model), *pairs])
    table = plain_table("", "segment", "weight", left=2)
    for k, (segment, weight) in enumerate(zip(model.names, model.segment_mixture.weights, strict=True)):
        table.add_row(str(k + 1), segment, percent(float(weight)))
    console.print(table)
    if model.columns:
        _print_components(console, model)
    _print_levels(console, model)


def _parameters(model: SegmentModel) -> str:
    """Return how many parameters a model has, and how many were estimated where segments were kept.

    AIC and log-likelihood give the latter: ``AIC = -2 log L + 2 p``.
    """
    training, held = model.training, model.mixture.n_parameters + model.scaling.n_parameters
    counted = (training.aic + 2.0 * training.log_likelihood) / 2.0
    if not math.isfinite(counted) or round(counted) >= held or training.history:
        return f"{held} parameters"
    return f"{held} parameters, {round(counted)} of them estimated beside segments that were kept"


def _discrete(model: SegmentModel) -> list[tuple[str, str]]:
    if model.coding is None:
        return []
    said = [f"{one.name} ({KIND_WORDS[one.kind]})" for one in model.coding.columns]
    return [("Discrete", ", ".join(said))]


def _merged(model: SegmentModel) -> list[tuple[str, str]]:
    """Return how many components segments have, where some were merged."""
    several = [f"segment {k} has {len(group)}" for k, group in enumerate(model.groups, 1) if len(group) > 1]
    return [("Merged", f"{model.mixture.n_components} components: {', '.join(several)}")] if several else []


def _robust(model: SegmentModel) -> list[tuple[str, str]]:
    noise, tails = model.mixture.background, model.mixture.tails
    if noise is not None:
        return [("Outliers", f"{percent(noise.weight)} of the customers expected in no segment")]
    if tails is None:
        return []
    return [
        ("Tails", f"t distributions of {', '.join(f'{one:.3g}' for one in tails.freedom)} degrees of freedom")
    ]


def _print_levels(console: Console, model: SegmentModel) -> None:
    """Print the share of each level of the discrete columns, of counts the mean, segments as columns."""
    coding, table = model.coding, model.segment_mixture.levels
    if coding is None or table is None:
        return
    rows: list[tuple[str, list[str]]] = []
    for j, column in enumerate(coding.columns):
        shares = np.exp(table.logs[coding.discrete.starts[j] : coding.discrete.starts[j + 1]])
        if column.kind == "count" and column.numbers is not None:
            means = column.numbers @ shares
            rows.append((f"{column.name}, mean", [f"{one:.2f}" for one in means]))
            continue
        levels = list(zip(column.levels, shares, strict=True))[column.kind == "spike" :]
        for text, row in levels[:_MOST_LEVELS]:
            rows.append((f"{column.name}: {text}", [percent(float(one)) for one in row]))
        if len(levels) > _MOST_LEVELS:
            rows.append((f"{column.name}: {len(levels) - _MOST_LEVELS} more", [""] * model.n_segments))
    per_piece = max(
        (console.width - min(max((len(title) for title, _ in rows), default=0), _TITLE)) // _SHARE, 1
    )
    for start in range(0, model.n_segments, per_piece):
        shown = range(model.n_segments)[start : start + per_piece]
        printed = plain_table("levels", *(f"segment {k + 1}" for k in shown))
        for title, cells in rows:
            printed.add_row(title, *(cells[k] for k in shown))
        console.print(printed)


def _origin(model: SegmentModel) -> list[tuple[str, str]]:
    training = model.training
    if training.outcome == IMPORTED:
        return [("Imported from", f"{training.source}, {training.created}")]
    dropped = f" ({training.rows_dropped:,} more had missing values)" if training.rows_dropped else ""
    with_what = f"mixtura {model.mixtura_version}, seed {training.seed}, starts per model: {training.n_init}"
    kept = training.kept_from
    beside = (
        [] if kept is None else [("Kept", f"segments 1 to {kept.segments} of {kept.source}, {kept.created}")]
    )
    if training.history:
        return [*_history(model), *beside, ("With", with_what)]
    return [
        ("Learned from", f"{training.source}, {training.rows:,} rows{dropped}, {training.created}"),
        *beside,
        ("With", with_what),
    ]


def _history(model: SegmentModel) -> list[tuple[str, str]]:
    """Return what was learned from and what was added, the earliest first."""
    training, found = model.training, []
    for one in training.history:
        kept = f", earlier ones count {percent(one.kept)}" if one.kind == "updated" and one.kept < 1 else ""
        title = {"learned": "Learned from", "updated": "Added", "merged": "Merged"}[one.kind]
        found.append((title, f"{one.source}, {one.rows:,} rows, {one.created}{kept}"))
    as_of = None if model.statistics is None else model.statistics.as_of
    dated = "" if as_of is None else f", as of {str(as_of).removesuffix('T00:00:00')}"
    return [*found, ("In all", f"{training.rows:,} rows{dated}")]


def _choice(training: TrainingInfo) -> list[tuple[str, str]]:
    if training.outcome == IMPORTED:
        return []
    criteria = f"{training.criterion.upper()} (BIC {training.bic:,.2f}, AIC {training.aic:,.2f})"
    ended = f"{training.log_likelihood:,.4f}, {training.outcome} after {training.n_iter} iterations"
    return [("Chosen by", criteria), ("Log-likelihood", ended)]


def _transforms(model: SegmentModel) -> list[tuple[str, str]]:
    done = zip(model.transformed_columns, model.transforms, strict=True)
    said = [name for name, transform in done if transform.kind != "none"]
    return [("Transformed", ", ".join(said))] if said else []


def _print_components(console: Console, model: SegmentModel) -> None:
    """Print mean and standard deviation of each column, columns downwards."""
    if model.scaling.is_affine:
        mixture = united(model.in_user_units(), model.groups)
        deviations = np.sqrt(np.diagonal(mixture.full_covariances(), axis1=1, axis2=2))
        centers, title = mixture.means, "mean ± standard deviation"
        reach = np.stack([centers - deviations, centers + deviations])
    else:
        deviations = np.sqrt(np.diagonal(model.segment_mixture.full_covariances(), axis1=1, axis2=2))
        means, title = model.segment_mixture.means, "center (1 standard deviation)"
        centers = model.scaling.restore(means)
        reach = np.stack(
            [model.scaling.restore(means - deviations), model.scaling.restore(means + deviations)]
        )
    widest = min(max(map(len, model.columns)), 30)
    per_piece = max((console.width - widest) // (22 if model.scaling.is_affine else 30), 1)
    for start in range(0, model.n_segments, per_piece):
        shown = range(start, min(start + per_piece, model.n_segments))
        table = plain_table(title, *(f"segment {k + 1}" for k in shown))
        table.columns[0].max_width = max(widest, 12)
        for d, name in enumerate(model.columns):
            table.add_row(name, *(_component_cell(model, centers[k, d], *reach[:, k, d]) for k in shown))
        console.print(table)


def _component_cell(model: SegmentModel, center: float, low: float, high: float) -> str:
    spread = float(high - low) / 2
    decimals = decimals_for(spread)
    # A model knows no more of a column than this.
    years = bool(low >= _FIRST_YEAR and high <= _LAST_YEAR and spread >= _YEARS_APART)
    said = readable(float(center), decimals, years=years)
    if model.scaling.is_affine:
        return f"{said} ± {readable(spread, decimals)}"
    ends = [readable(float(end), decimals, years=years) for end in (low, high)]
    return f"{said} ({ends[0]} to {ends[1]})"


def print_assignment(
    console: Console, source: str, result: Assignment | AssignedSource, *, drop_missing: bool = False
) -> None:
    """Print how many customers went where."""
    total = result.n_rows
    console.print(Text.assemble((source, "bold"), f": {total:,} customers"))
    table = plain_table("", "segment", "share", "customers", left=2)
    assigned = max(result.n_complete, 1)
    for k, name in enumerate(result.names):
        count = int(result.counts[k])
        table.add_row(str(k + 1), name, percent(count / assigned), f"{count:,}")
    console.print(table)
    if result.n_outliers:
        console.print(f"{result.n_outliers:,} outliers, in no segment: they lie far from all")
    if total > result.n_complete + result.n_outliers:
        console.print(
            with_options(result.unknown_note("in no segment", drop_missing=drop_missing)), soft_wrap=True
        )
    console.print(f"{result.n_anomalies:,} anomalies by the threshold of the model")
    print_notes(console, notes_with_options(result.notes))
