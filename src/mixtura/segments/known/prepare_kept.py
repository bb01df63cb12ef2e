"""A table as an earlier model reads it, so that its segments can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import narwhals as nw

from mixtura.exceptions import ParameterError
from mixtura.segments.known.larger_counts import with_larger_counts
from mixtura.segments.merging.grouped import require_single_components
from mixtura.segments.model.read_rows import require_columns
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import Settings
from mixtura.segments.table.columns import choose
from mixtura.segments.table.complete import missing_notes, usable_rows
from mixtura.segments.table.discrete.coding import with_missing_levels
from mixtura.segments.table.discrete.kinds import ColumnKind, Kind
from mixtura.segments.table.discrete.unknown_values import unknown_notes
from mixtura.segments.table.open_table import column_name
from mixtura.segments.table.prepare import Prepared, prepare
from mixtura.segments.table.repetitions import ids_repeat, repetition_notes
from mixtura.segments.table.roles import Roles, checked_weights
from mixtura.segments.table.survey.accepted_weight import REFUSED
from mixtura.segments.table.survey.missing_codes import codes_asked
from mixtura.segments.transforms.recommend_transform import EVERY_OTHER, transforms_of

__all__ = ["kept_model", "prepare_any", "prepare_kept", "require_alone", "weight_of_kept"]


def require_alone(roles: Roles, settings: Settings, *, select_columns: bool) -> None:
    """Raise `ParameterError` where something is asked for that the kept model says, or that does not go with it."""
    given = {name for name in ("columns", "missing_codes", "known") if getattr(roles, name) is not None}
    given |= ({"kinds"} if roles.kinds != "auto" else set()) | (
        {"select_columns"} if select_columns else set()
    )
    given |= {name for name in ("transform", "robust") if getattr(settings, name) != "none"}
    said = sorted(given & {"columns", "kinds", "missing_codes", "transform"})
    if said:
        raise ParameterError(
            f"`{said[0]}` cannot be given with `keep`: the model that is kept says it. Leave it out, or segment "
            "without `keep`."
        )
    if given:
        raise ParameterError(
            f"`{min(given)}` cannot be given with `keep`. Leave one of them out: segments that are kept are Gaussian, "
            "of the columns that the model has."
        )
    if settings.criterion == "cv":
        raise ParameterError("`criterion` cannot be 'cv' with `keep`. Try `criterion='bic'`.")


def kept_model(keep: object) -> SegmentModel | None:
    """Return the model whose segments are kept, read where a file is given.

    Raises
    ------
    ModelFileError
        It cannot be read.
    ParameterError
        It is neither a model nor a path, or has outliers or t distributions.
    """
    if keep is None:
        return None
    if not isinstance(keep, SegmentModel | str | Path):
        near = " Try its `.model`." if isinstance(getattr(keep, "model", None), SegmentModel) else ""
        raise ParameterError(
            f"`keep` must be a SegmentModel or the path of a model file; got {type(keep).__name__}.{near}"
        )
    model = keep if isinstance(keep, SegmentModel) else SegmentModel.load(keep)
    require_single_components(model.groups, "`keep`")
    if model.mixture.background is not None or model.mixture.tails is not None:
        raise ParameterError(
            "`keep` must be a model of Gaussian segments; got one with outliers or t distributions. Segment without "
            "`keep`."
        )
    return model


def weight_of_kept(model: SegmentModel | None, weight: str | None, frame: Any) -> str | None:
    """Return the column that weighs customers: that of the kept model where nothing is said.

    Parameters
    ----------
    model : SegmentModel or None
    weight : str or None
        What was asked for: a column, ``"none"``, or nothing.
    frame : dataframe

    Raises
    ------
    ParameterError
        Nothing was said, and the table lacks the weight of the model.
    """
    own = None if model is None else model.training.weight_column
    if weight is not None or own is None:
        return weight
    names = getattr(frame, "column_names", getattr(frame, "columns", ()))
    if own not in map(column_name, names):
        raise ParameterError(
            f"`weight` must be said: the model that is kept was learned with the weight {own!r}, which the table lacks."
            f" Name the column that has it, or count every customer once with `weight={REFUSED!r}`."
        )
    return own


def prepare_any(
    frame: Any,
    roles: Roles,
    settings: Settings,
    keep: SegmentModel | None,
    *,
    drop_missing: bool,
) -> Prepared:
    """Return a table as it is searched: by itself, or with the segments of a model that are kept."""
    if keep is None:
        return prepare(frame, roles, settings, drop_missing=drop_missing)
    return prepare_kept(frame, roles, keep, drop_missing=drop_missing)


def prepare_kept(frame: Any, roles: Roles, model: SegmentModel, *, drop_missing: bool) -> Prepared:
    """Return a table with the columns, transforms, scales and levels of a model, whose segments are kept.

    Raises
    ------
    ColumnError, DataError
        The table lacks a column of it, or has no row with a value.
    """
    discrete, codes = model.discrete_columns, model.training.missing_codes
    roles = replace(roles, columns=model.columns, keep=discrete, kinds="continuous", missing_codes=codes)
    opened, guessed = roles.open(frame), roles.id_column is None
    table: nw.DataFrame[Any] = nw.from_native(opened.frame, eager_only=True)
    require_columns((*model.columns, *discrete), table.columns)
    choice = choose(opened, roles)
    left_out = tuple(one for one in choice.left_out if one.name not in discrete)
    choice = replace(choice, discrete=discrete, kinds=tuple(_kinds(model)), left_out=left_out)
    repetitions = repetition_notes(opened.frame, choice, guessed=guessed)
    reading = (*opened.notes(choice.building), *repetitions, *_weight_notes(model, roles.weight))
    rows, weights, complete = usable_rows(
        opened.frame,
        model.columns,
        drop_missing=drop_missing,
        weight=roles.weight,
        notes=reading,
        discrete=discrete,
    )
    if weights is not None:
        weights = checked_weights(weights, str(roles.weight))
    model = with_larger_counts(model, opened.frame, complete)
    coding = model.coding
    levels = None if coding is None else coding.levels(opened.frame, complete)
    notes = (*reading, *missing_notes(*with_missing_levels(rows, model.columns, coding, levels)))
    if coding is not None and levels is not None:
        notes = (*notes, *unknown_notes(coding, levels, opened.frame, complete))
    advice = transforms_of({EVERY_OTHER: "none"}, model.columns, rows, weights)[1]
    repeated = ids_repeat(opened.frame, choice, guessed=guessed)
    return Prepared(
        choice, rows, weights, complete, model.scaling, advice, opened.frame, notes, repeated, coding, levels,
        codes_asked(codes), {one.column: one.value for one in opened.sentinels}, reading, None, model,
        drop_missing,
    )  # fmt: skip


def _weight_notes(model: SegmentModel, weight: str | None) -> tuple[str, ...]:
    """Return a sentence on how customers count, where they or those of the model have a weight."""
    before = model.training.weight_column
    if before == weight:
        return (
            () if weight is None else (f"Customers count by {weight}, as those of the model that is kept.",)
        )
    now = "every customer counts once" if weight is None else f"customers count by {weight}"
    then = "once" if before is None else f"by {before}"
    return (
        f"Shares before and now are of different things: {now}, and those of the model that is kept {then}.",
    )


def _kinds(model: SegmentModel) -> Iterator[ColumnKind]:
    """Yield what the model takes its columns for, where it has discrete ones."""
    coded = () if model.coding is None else model.coding.columns
    for one in coded:
        spikes = tuple(float(level) for level in one.levels[1:]) if one.kind == "spike" else ()
        yield ColumnKind(
            one.name, cast("Kind", one.kind), "as the model that is kept has it", spikes, one.first
        )
