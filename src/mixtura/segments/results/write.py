"""The files of a segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import Array
from mixtura.io import readable_json, write_table, writing
from mixtura.segments.profiles.profile_summary import Row, profile_rows
from mixtura.segments.results.summary import summarize
from mixtura.segments.segment import SegmentationResult

__all__ = ["write_results"]


def write_results(
    result: SegmentationResult,
    folder: str | Path,
    *,
    picture: bytes | None = None,
    summary: Mapping[str, Any] | None = None,
) -> None:
    """Write the files of a segmentation, `mixtura.io.RESULT_FILES`, into a directory.

    Parameters
    ----------
    result : SegmentationResult
    folder : str or Path
        An existing directory, as `mixtura.io.output_directory` gives one.
    picture : bytes or None, default=None
        ``segments.png``, from `mixtura.plot.draw_segments`.
    summary : mapping or None, default=None
        ``summary.json``, from `mixtura.report.collect`; None for what `summarize` returns.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    folder = Path(folder)
    with writing(folder):
        result.assignment.write(folder / "segments.csv")
        result.assignment.write(folder / "segments.parquet")
        _write_profiles(result, folder / "profiles.csv")
        (folder / "model.json").write_text(result.model.to_json(), encoding="utf-8")
        (folder / "summary.json").write_text(
            readable_json(dict(summary or summarize(result))), encoding="utf-8"
        )
        if picture is not None:
            (folder / "segments.png").write_bytes(picture)


_TEXTS = ("segment_name", "column", "role", "level")
_COUNTS = ("segment", "count", "missing")
_NUMBERS = (
    "share", "population_share", "lift", "mean", "sd", "minimum", "q1", "median", "q3", "maximum", "iqr",
    "difference", "cohens_d", "overlap", "divergence_bits", "distinctness",
)  # fmt: skip


def _write_profiles(result: SegmentationResult, path: Path) -> None:
    roles = {one.column: one.role for one in result.segments[0].numbers}
    rows = profile_rows(result.segments, result.population, roles)
    names = ("segment", "segment_name", "column", "role", "level", "count", "missing", *_NUMBERS)
    write_table(path, {}, {name: _cells(name, rows) for name in names}, np.ones(len(rows), dtype=bool))


def _cells(name: str, rows: list[Row]) -> Array:
    """Return a column; what a row does not have is masked."""
    found = [row.get(name) for row in rows]
    missing = [value is None for value in found]
    kind, empty = (object, "") if name in _TEXTS else (np.int64, 0) if name in _COUNTS else (np.float64, 0.0)
    return np.ma.MaskedArray(
        np.array([empty if value is None else value for value in found], dtype=kind), missing
    )
