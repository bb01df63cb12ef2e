"""The weight that a file declares: neither used nor ignored unasked."""

from __future__ import annotations

from typing import Any

from mixtura.exceptions import ParameterError
from mixtura.io import codebook_of

__all__ = ["REFUSED", "accepted_weight"]

REFUSED = "none"
"""What is said in place of a column to refuse a weight."""


def accepted_weight(frame: Any, weight: str | None) -> str | None:
    """Return the column that weighs the rows of a table; None for none.

    Parameters
    ----------
    frame : dataframe
    weight : str or None
        What was asked for: a column, ``"none"``, or nothing.

    Raises
    ------
    ParameterError
        The file declares a weight, and nothing was said.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from mixtura.io import Codebook, with_codebook
    >>> from mixtura.segments.table.survey.accepted_weight import accepted_weight
    >>> survey = with_codebook(pa.table({"income": [1.0, 2.0], "w": [0.5, 2.0]}), Codebook(weight="w"))
    >>> accepted_weight(survey, "w"), accepted_weight(survey, "none")
    ('w', None)
    """
    names = getattr(frame, "column_names", getattr(frame, "columns", ()))
    if weight == REFUSED and REFUSED not in names:
        return None
    declared = codebook_of(frame).weight
    if weight is None and declared is not None:
        raise ParameterError(
            f"`weight` must be said: the file declares {declared!r} as the weight of its rows. Shares and means differ "
            f"with and without. Accept it with `weight={declared!r}`, or refuse it with `weight={REFUSED!r}`."
        )
    return weight
