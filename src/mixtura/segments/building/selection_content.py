"""What the document says of the columns that build segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtura.segments.building.selection_notes import why_role
from mixtura.segments.jsonable import to_jsonable
from mixtura.select import ColumnRole, ColumnSelection, Role

__all__ = ["selection_content"]


def selection_content(found: ColumnSelection | None) -> dict[str, Any] | None:
    """Return the part `selection` of the document; None where it was not asked."""
    if found is None:
        return None
    return {
        "columns": [
            {
                "column": one.name,
                "role": one.role.value,
                "evidence": to_jsonable(one.evidence),
                "explained_by": list(one.explained_by),
                "explained": one.explained,
                "stability": one.stability,
                "why": why_role(one),
            }
            for one in sorted(found.columns, key=_place)
        ],
        "rows": found.n_rows,
        "resamples": found.n_bootstraps,
    }


def _place(one: ColumnRole) -> tuple[int, float]:
    """Return what columns are ordered by: their roles, and of each role the evidence, the clearest first."""
    evidence = 0.0 if np.isnan(one.evidence) else one.evidence
    return list(Role).index(one.role), -evidence if one.role is Role.BUILDING else evidence
