"""Which columns of a table are continuous, which are discrete, and which have point masses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw

from mixtura.exceptions import ColumnError, TableError
from mixtura.io import to_float64
from mixtura.segments.table.columns import ONE_CONTINUOUS, ColumnChoice, LeftOut
from mixtura.segments.table.discrete.kinds import ColumnKind, SaidKind, check_kind, kind_of, kinds_asked
from mixtura.segments.table.discrete.relevance import repeated_categories, unrelated_categories
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.survey.proposals import Proposal, proposed_kind
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["REPEATED", "UNRELATED", "describing_notes", "with_kinds", "with_spikes"]

UNRELATED = "a category that goes with no other column: it describes the segments, and does not build them"
"""Why a category that was found by rule does not build segments."""
REPEATED = "the same as "
"""How the reason of one begins whose levels are another column's by other names."""


def with_kinds(
    frame: Any, choice: ColumnChoice, roles: Roles, transformed: Collection[str] = ()
) -> ColumnChoice:
    """Return the choice with discrete columns apart from continuous ones, and the kinds of all that build segments.

    By rule a column of numbers is continuous, a count, ordered, or has point masses; one that was left out as text, as
    truth values or as codes is a category where its levels repeat. At least one column stays continuous: where none
    would, counts and ordered levels do.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
    choice : ColumnChoice
    roles : Roles
    transformed : collection of str, default=()
        Columns for which a transform was said: by rule they are amounts.

    Raises
    ------
    ColumnError
        A kind was said that a column cannot be of, or of a column that is not used; or no column is continuous.
    """
    by_rule, said = kinds_asked(roles.kinds)
    if not by_rule and not said:
        return choice
    table = _that_count(frame, roles.weight)
    open_to_all = roles.columns is None
    kinds: dict[str, ColumnKind] = {}
    for name in choice.used:
        proposed = proposed_kind(table[name], choice.codebook.column(name))
        kinds[name] = _kind(table[name], said.get(name), proposed, by_rule=by_rule)
        if name in transformed and name not in said and kinds[name].kind in ("count", "ordered"):
            kinds[name] = ColumnKind(name, "continuous", "it is transformed")
    for one in choice.left_out if open_to_all else ():
        if one.name in said:
            kinds[one.name] = check_kind(table[one.name], said[one.name])
        elif by_rule and one.is_category and one.name != choice.id_column:
            category = kind_of(table[one.name], numeric=False)
            if category is not None:
                kinds[one.name] = category
    unused = next((name for name in said if name not in kinds), None)
    if unused is not None:
        raise _unused(unused, said[unused], table.columns, choice, list(kinds))
    kinds = _with_a_continuous_one(kinds, said, choice, alone=roles.alone)
    apart = _describing(table, kinds, said) if open_to_all and by_rule else {}
    kinds = {name: one for name, one in kinds.items() if name not in apart} or kinds
    apart = {name: reason for name, reason in apart.items() if name not in kinds}
    used = tuple(name for name in choice.used if kinds[name].kind in ("continuous", "spike"))
    discrete = tuple(name for name in table.columns if name in kinds and name not in used)
    left_out = tuple(
        LeftOut(one.name, apart[one.name]) if one.name in apart else one
        for one in choice.left_out
        if one.name not in kinds
    )
    found = tuple(kinds[name] for name in (*used, *discrete))
    describe = (*choice.describe, *apart)
    return replace(choice, used=used, discrete=discrete, left_out=left_out, kinds=found, describe=describe)


def _describing(
    table: nw.DataFrame[Any], kinds: Mapping[str, ColumnKind], said: Collection[str]
) -> dict[str, str]:
    """Return the categories, but for those of a kind that was said, that cannot help to find segments; and why."""
    repeated = {name: other for name, other in repeated_categories(table, kinds).items() if name not in said}
    found = {name: f"{REPEATED}{other!r}, level by level" for name, other in repeated.items()}
    others = {name: one for name, one in kinds.items() if name not in found}
    unrelated = [name for name in unrelated_categories(table, others) if name not in said]
    return found | dict.fromkeys(unrelated, UNRELATED)


def _unused(
    name: str, kind: SaidKind, columns: Sequence[str], choice: ColumnChoice, building: list[str]
) -> ColumnError:
    """Return the error for a kind that was said of a column which does not build segments."""
    if name not in columns:
        return ColumnError.missing(name, building, "kinds")
    why = next((one.reason for one in choice.left_out if one.name == name), "not asked for")
    return ColumnError(
        f"`kinds` says that {name!r} is of kind {kind!r}; it does not build the segments ({why}). Name it in "
        "`columns`, or leave its kind out.",
        column=name,
    )


def _kind(
    column: nw.Series[Any], said: SaidKind | None, proposed: Proposal | None, *, by_rule: bool
) -> ColumnKind:
    """Return the kind of a column that was chosen."""
    if said is not None:
        return check_kind(column, said)
    if not by_rule:
        return ColumnKind(column.name, "continuous", "numbers")
    if proposed == "ordered":
        return ColumnKind(column.name, "ordered", "ordinal, as the file says")
    found = kind_of(column, numeric=column.dtype.is_numeric())
    if proposed == "continuous" and found is not None and found.kind in ("count", "ordered"):
        return ColumnKind(column.name, "continuous", "a scale, as the file says")
    if found is None:
        present = column.drop_nulls()
        raise ColumnError(
            f"The column {column.name!r} is not numeric, and no category: it has {present.n_unique():,} different "
            f"values in {len(present):,} rows, such as {str(present[0])[:30]!r}. Two to thirty levels that repeat are "
            "required. Leave it out of `columns`, or describe the segments with it.",
            column=column.name,
        )
    return found


def _that_count(frame: Any, weight: str | None) -> nw.DataFrame[Any]:
    """Return the rows of a table whose weight is not zero: the others say nothing of what columns are."""
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    if weight is None:
        return table
    counted = to_float64(table[weight]) > 0
    return table.filter(counted.tolist()) if counted.any() else table


def _with_a_continuous_one(
    kinds: dict[str, ColumnKind], said: Sequence[str] | dict[str, Any], choice: ColumnChoice, *, alone: bool
) -> dict[str, ColumnKind]:
    """Return kinds of which one is continuous, where numbers can be; otherwise discrete ones may stand alone."""
    if not kinds:
        why = "; ".join(f"{one.name!r}: {one.reason}" for one in choice.left_out[:8])
        raise TableError(
            f"No column is left to make segments from ({why}). Categories need two to thirty levels that repeat. Name "
            "columns to use with `columns`, or say their `kinds`."
        )
    if any(one.kind in ("continuous", "spike") for one in kinds.values()):
        return kinds
    numbers = {
        name: ColumnKind(name, "continuous", "no column would be continuous otherwise")
        for name, one in kinds.items()
        if one.kind in ("count", "ordered") and name not in said
    }
    if not numbers and alone:
        return kinds
    if not numbers:
        names = ", ".join(repr(name) for name in kinds)
        raise ColumnError(
            f"All columns are discrete ({names}). {ONE_CONTINUOUS} Or take one of numbers as continuous with "
            "`kinds`; answers that have an order can be written as numbers.",
            column=next(iter(kinds)),
        )
    return kinds | numbers


def describing_notes(choice: ColumnChoice) -> tuple[str, ...]:
    """Return a sentence on the categories that describe segments because they cannot help to find them."""
    return (*_repeated_notes(choice), *_unrelated_notes(choice))


def _repeated_notes(choice: ColumnChoice) -> tuple[str, ...]:
    repeated = [
        one for one in choice.left_out if one.reason.startswith(REPEATED) and one.name in choice.describe
    ]
    return tuple(
        f"{one.name} is {one.reason}: it describes the segments, and would only count twice in what builds them."
        for one in repeated
    )


def _unrelated_notes(choice: ColumnChoice) -> tuple[str, ...]:
    names = [one.name for one in choice.left_out if one.reason == UNRELATED]
    if not names:
        return ()
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    does, they, build = (
        ("goes with no other column", "it describes", "it build")
        if len(names) == 1
        else ("go with no other column", "they describe", "them build")
    )
    said = (
        f"{listed} {does}: {they} the segments, and would only add noise to what builds them. The kind 'category', "
        f"said with `kinds`, makes {build} them."
    )
    return (said,)


def with_spikes(scaling: Scaling, columns: Sequence[str], kinds: Sequence[ColumnKind]) -> Scaling:
    """Return the scaling with the point masses of its columns."""
    spikes = {one.name: one.spikes for one in kinds if one.kind == "spike"}
    if not spikes:
        return scaling
    return replace(scaling, spikes=tuple(spikes.get(name, ()) for name in columns))
