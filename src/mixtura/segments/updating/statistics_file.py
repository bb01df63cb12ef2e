"""Sums of the rows of one site, in a file that leaves it: no row, no name, no value of a customer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mixtura.exceptions import DataError, ParameterError
from mixtura.io import dump_statistics, read_statistics_document, save_text
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.updating.added_rows import rows_to_add
from mixtura.segments.updating.model_statistics import (
    ModelStatistics,
    gather_statistics,
    read_statistics,
    statistics_content,
)

__all__ = ["FEWEST", "SiteStatistics", "describe_model", "site_statistics"]

FEWEST = 10.0
"""Customers that a segment has to have at a site before its sums are handed out."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteStatistics:
    """The sums of the rows of one site, or of several, about a model.

    Parameters
    ----------
    sources : tuple of str
        What the tables are called.
    created : str
        Date and time (UTC, ISO 8601).
    rows : int
    about : dict
        Which model they are about: `describe_model`.
    statistics : ModelStatistics
    parts : tuple of str, default=()
        Fingerprints of the sums that these are the sum of; empty for those of one table.
    """

    sources: tuple[str, ...]
    created: str
    rows: int
    about: dict[str, Any]
    statistics: ModelStatistics
    parts: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the text of a file of statistics."""
        return dump_statistics(
            {
                "mixtura_version": version("mixtura"),
                "sources": list(self.sources),
                "created": self.created,
                "rows": self.rows,
                "about": self.about,
                "statistics": statistics_content(self.statistics),
            }
            | ({"parts": list(self.parts)} if self.parts else {})
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a file of statistics; all of it or nothing.

        Raises
        ------
        OutputError
            The file exists and `overwrite` is False, or it cannot be written.
        """
        save_text(path, self.to_json(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> SiteStatistics:
        """Read a file of statistics.

        Raises
        ------
        ModelFileError
            It is missing, truncated, altered, of a newer format, or not consistent.
        """
        found = read_statistics_document(path)
        statistics = read_statistics(
            found.statistics, found.about.covariance_type, np.array(found.about.means)
        )
        assert statistics is not None, "the file was checked"
        about = found.about.model_dump()
        return cls(tuple(found.sources), found.created, found.rows, about, statistics, tuple(found.parts))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What is the same of the sums of the same rows alone, of each table that is in them."""
        return self.parts or (_digest(statistics_content(self.statistics)),)


def describe_model(model: SegmentModel) -> dict[str, Any]:
    """Return what says which model sums are about: its columns, and a fingerprint of its scale and its mixture."""
    content = json.loads(model.to_json())
    parts = {name: content.get(name) for name in ("columns", "scaling", "mixture", "discrete", "robust")}
    return {
        "columns": list(model.columns),
        "discrete_columns": list(model.discrete_columns),
        "covariance_type": model.mixture.covariance_type,
        "means": model.mixture.means.tolist(),
        "scaling": _digest(parts["scaling"]),
        "model": _digest(parts),
        "created": model.training.created,
    }


def site_statistics(
    model: SegmentModel,
    frame: Any,
    *,
    drop_missing: bool = False,
    min_rows: float = FEWEST,
    source: str = "the table",
) -> SiteStatistics:
    """Return the sums of the rows of one site about a model, to be merged with those of others.

    Parameters
    ----------
    model : SegmentModel
        The same at all sites.
    frame : pandas, polars or pyarrow table, or Source
        A source is read in parts, into a spool, where the model has numbers alone.
    drop_missing : bool, default=False
        Leave out rows with missing values.
    min_rows : float, default=10
        Customers that every segment has to have, in sum of memberships: sums of a few can reveal them. 0 to hand out
        all.
    source : str
        What the table is called.

    Raises
    ------
    ColumnError, DataError
        The table lacks a column of the model or its weights, no row has a value, or a segment has too few customers.
    ParameterError
        `min_rows` is negative.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import merge_statistics, segment_table, site_statistics
    >>> model = segment_table(make_customers(as_frame="polars"), components=[3]).model
    >>> sites = [site_statistics(model, make_customers(random_state=seed, as_frame="polars")) for seed in (1, 2)]
    >>> merge_statistics(model, sites).training.rows
    600
    """
    if not min_rows >= 0:
        raise ParameterError(f"`min_rows` must be non-negative; got {min_rows!r}. Try `min_rows={FEWEST:g}`.")
    read = rows_to_add(model, frame, drop_missing=drop_missing)
    found = gather_statistics(model.mixture, model.scaling, read.table, read.weights)
    _require_many(model, found, len(read.rows), min_rows)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return SiteStatistics((source,), created, len(read.rows), describe_model(model), found)


def _require_many(model: SegmentModel, found: ModelStatistics, n_rows: int, min_rows: float) -> None:
    rows = found.components.counts * (n_rows / found.weight)
    few = np.flatnonzero(rows < min_rows)
    if not few.size:
        return
    named = ", ".join(f"{k + 1} ({model.names[k]!r}, {rows[k]:.1f})" for k in few[:5])
    raise DataError(
        f"At least {min_rows:g} customers are required in each segment before sums are handed out, because sums of a "
        f"few can reveal them; fewer are in segment {named}. Add customers, take a model of fewer segments, or "
        "allow it with `min_rows=0`."
    )


def _digest(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
