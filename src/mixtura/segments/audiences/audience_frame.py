"""An audience as a dataframe of the library that its customers came in."""

from __future__ import annotations

from typing import Any

from mixtura.data.frames import frame_like
from mixtura.segments.audiences.audience_table import audiences_of_table
from mixtura.segments.model.assignment_frame import ids_of
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["audience_frame"]


def audience_frame(model: SegmentModel, table: Any, segment: str | int, **limits: Any) -> Any:
    """Return a row per customer of the audience for a segment, the best first, as a frame like the table.

    Parameters
    ----------
    model : SegmentModel
    table : dataframe
        Customers to choose from; rows with missing values are in no audience.
    segment : str or int
        Its name, the start of its name, or its number from 1.
    **limits
        As of `audiences_of_table`.

    Raises
    ------
    ParameterError
        There is no such segment, or nothing limits the audience.
    """
    found = audiences_of_table(model, table, [segment], drop_missing=True, **limits)
    rows = [int(row) for audience in found.found.audiences for row in audience.rows]
    own = {name: values.tolist() for name, values in found.columns().items()}
    return frame_like(table, {found.assignment.id_name: ids_of(found.assignment.ids, rows), **own}, rows)
