"""Columns against segments: what the document of a segmentation says of them, or what rows and a mixture give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixtura._typing import FloatArray
from mixtura.fit.known_values import of_known_values
from mixtura.plot.data.plot_data import PlotData

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document
    from mixtura.segments.results.document_profiles import SegmentPart

__all__ = ["ProfileTable", "profiles_of_document", "profiles_of_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class ProfileTable:
    """The middle of every column in every component, and how far it lies from that of all rows.

    Parameters
    ----------
    columns : tuple of str, length D
    names : tuple of str, length K
        Of the components.
    middles : ndarray of shape (K, D)
        Means; medians, in the units of the table, of transformed columns. NaN for a component without rows.
    differences : ndarray of shape (K, D)
        From the mean of all rows, in standard deviations of all rows; of transformed columns, of transformed values.
    years : tuple of bool, length D
        Whether the values read as years.
    transformed : bool
        Whether any column is.
    n_rows : int
    noun : str
        What a row is, in the plural.
    part : str
        What a component is.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    middles: FloatArray
    differences: FloatArray
    years: tuple[bool, ...]
    transformed: bool
    n_rows: int
    noun: str
    part: str


def profiles_of_document(document: Document) -> ProfileTable:
    """Return the table of the active columns; customers count with their weight."""
    columns = tuple(document.table.active)
    moved = {one.column for one in document.transforms if one.kind != "none"}
    return ProfileTable(
        columns=columns,
        names=tuple(one.name for one in document.segments),
        middles=np.array([_middles(one, columns, moved) for one in document.segments], dtype=np.float64),
        differences=np.array(
            [[one.differences[name] for name in columns] for one in document.segments], dtype=np.float64
        ),
        years=tuple(document.population.numbers[name].has_years for name in columns),
        transformed=bool(moved.intersection(columns)),
        n_rows=document.verdict.customers,
        noun="customers",
        part="segment",
    )


def _middles(segment: SegmentPart, columns: tuple[str, ...], moved: set[str]) -> list[float | None]:
    medians = {one.column: one.median for one in segment.numbers if one.column in moved}
    return [medians.get(name, segment.means[name]) for name in columns]


def profiles_of_rows(subject: PlotData) -> ProfileTable:
    """Return the table of rows, each of which counts for its most probable component."""
    labels, rows = subject.labels, subject.observed
    means = np.full((subject.n_parts, rows.shape[1]), np.nan)
    for k in np.unique(labels):
        means[k] = of_known_values(rows[labels == k], np.mean)
    deviations, center = of_known_values(rows, np.std), of_known_values(rows, np.mean)
    return ProfileTable(
        columns=subject.columns,
        names=subject.names,
        middles=means,
        differences=(means - center) / np.where(deviations > 0, deviations, 1.0),
        years=tuple(map(subject.has_years, range(len(subject.columns)))),
        transformed=False,
        n_rows=subject.n_rows,
        noun=subject.noun,
        part=subject.part,
    )
