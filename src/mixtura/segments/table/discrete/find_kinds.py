"""Which columns of a table are continuous, which are discrete, and which have point masses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw

from mixtura.exceptions import ColumnError
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.table.discrete.kinds import ColumnKind, Kind, check_kind, kind_of, kinds_asked
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.survey.proposals import Proposal, proposed_kind
from mixtura.segments.transforms.scaling import Scaling

__all__ = ["with_kinds", "with_spikes"]

_CATEGORIES = ("text, such as", "true or false", "only ", "codes of categories")
"""How reasons begin for which a column is not a measurement but may be a category."""


def with_kinds(frame: Any, choice: ColumnChoice, roles: Roles) -> ColumnChoice:
    """Return the choice with discrete columns apart from continuous ones, and the kinds of all that build segments.

    By rule a column of numbers is continuous, a count, ordered, or has point masses; one that was left out as text, as
    truth values or as codes is a category where its levels repeat. At least one column stays continuous: where none
    would, counts and ordered levels do.

    Raises
    ------
    ColumnError
        A kind was said that a column cannot be of, or of a column that is not used; or no column is continuous.
    """
    by_rule, said = kinds_asked(roles.kinds)
    if not by_rule and not said:
        return choice
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    open_to_all = roles.columns is None
    kinds: dict[str, ColumnKind] = {}
    for name in choice.used:
        proposed = proposed_kind(table[name], choice.codebook.column(name))
        kinds[name] = _kind(table[name], said.get(name), proposed, by_rule=by_rule)
    for one in choice.left_out if open_to_all else ():
        if one.name in said:
            kinds[one.name] = check_kind(table[one.name], said[one.name])
        elif by_rule and one.reason.startswith(_CATEGORIES) and one.name != choice.id_column:
            category = kind_of(table[one.name], numeric=False)
            if category is not None:
                kinds[one.name] = category
    unused = next((name for name in said if name not in kinds), None)
    if unused is not None:
        raise ColumnError.missing(unused, list(kinds), "kinds")
    kinds = _with_a_continuous_one(kinds, said)
    used = tuple(name for name in choice.used if kinds[name].kind in ("continuous", "spike"))
    discrete = tuple(name for name in table.columns if name in kinds and name not in used)
    left_out = tuple(one for one in choice.left_out if one.name not in kinds)
    found = tuple(kinds[name] for name in (*used, *discrete))
    return replace(choice, used=used, discrete=discrete, left_out=left_out, kinds=found)


def _kind(
    column: nw.Series[Any], said: Kind | None, proposed: Proposal | None, *, by_rule: bool
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
    return found or check_kind(column, "category")


def _with_a_continuous_one(
    kinds: dict[str, ColumnKind], said: Sequence[str] | dict[str, Any]
) -> dict[str, ColumnKind]:
    if any(one.kind in ("continuous", "spike") for one in kinds.values()):
        return kinds
    numbers = {
        name: ColumnKind(name, "continuous", "no column would be continuous otherwise")
        for name, one in kinds.items()
        if one.kind in ("count", "ordered") and name not in said
    }
    if not numbers:
        names = ", ".join(repr(name) for name in kinds)
        raise ColumnError(
            f"All columns are discrete ({names}); at least one continuous column is required. Take one of numbers as "
            "continuous with `kinds`.",
            column=next(iter(kinds)),
        )
    return kinds | numbers


def with_spikes(scaling: Scaling, columns: Sequence[str], kinds: Sequence[ColumnKind]) -> Scaling:
    """Return the scaling with the point masses of its columns."""
    spikes = {one.name: one.spikes for one in kinds if one.kind == "spike"}
    if not spikes:
        return scaling
    return replace(scaling, spikes=tuple(spikes.get(name, ()) for name in columns))
