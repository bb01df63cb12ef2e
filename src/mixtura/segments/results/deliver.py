"""The directory of a segmentation: which files it holds, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mixtura._typing import Array
from mixtura.io import SURVEY_OUTPUTS, output_directory, readable_json, translate_os_errors, write_table
from mixtura.segments.model.kept_reference import with_reference
from mixtura.segments.results.build_profiles import profile_rows
from mixtura.segments.results.segmentation_result import SegmentationResult

__all__ = [
    "RESULT_FILES",
    "SCORING_FILE",
    "WORKBOOK_FILE",
    "Delivery",
    "Drawing",
    "Presentation",
    "Stage",
    "deliver",
]

_DATA_FILES = ("segments.csv", "segments.parquet", "profiles.csv", "model.json", "summary.json")
_PICTURE_FILE, _REPORT_FILE = "segments.png", "report.html"

RESULT_FILES = (*_DATA_FILES, _PICTURE_FILE, _REPORT_FILE)
"""What a segmentation leaves in its directory."""

SCORING_FILE = "segments.sql"
"""And in place of the tables of customers, where these stay in a database: the statement that assigns them there."""

WORKBOOK_FILE = "workbook.xlsx"
"""And on request."""

_SURVEY_FILES = tuple(f"segments{suffix}" for suffix in SURVEY_OUTPUTS)
"""What customers are written to as well, where their table came from SPSS or Stata."""

Stage = Callable[[str], AbstractContextManager[Any]]
"""Enters and leaves a stage of the work, given by its name."""


class Drawing(Protocol):
    """A result that is being drawn."""

    def outlined(self) -> None:
        """Go on with what needs the result's outline, which is there now."""

    def picture(self) -> bytes:
        """Return the content of ``segments.png``."""

    def page(self) -> str:
        """Return the content of ``report.html``."""


class Presentation(Protocol):
    """What draws a result; `mixtura.report.REPORT` is one."""

    def ready(self) -> AbstractContextManager[Any]:
        """Start what takes a while to start, and stop it at the end."""

    def drawing(self, result: SegmentationResult) -> AbstractContextManager[Drawing]:
        """Start to draw what needs the customers alone."""

    def workbook(self, result: SegmentationResult, path: Path) -> None:
        """Write the workbook."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A directory that is being written.

    Parameters
    ----------
    folder : Path
        Where files are written until all are there.
    presentation : Presentation or None
    workbook : bool
    survey : str or None, default=None
        Suffix of a further file of the customers: ``.sav`` or ``.dta``.
    in_database : bool, default=False
        Whether the customers stay in a database.
    """

    folder: Path
    presentation: Presentation | None
    workbook: bool
    survey: str | None = None
    in_database: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that `write` writes."""
        further = () if self.survey is None else (f"segments{self.survey}",)
        if self.presentation is not None:
            further = (_PICTURE_FILE, _REPORT_FILE, *further, *((WORKBOOK_FILE,) if self.workbook else ()))
        return (*((SCORING_FILE, *_DATA_FILES[2:]) if self.in_database else _DATA_FILES), *further)

    def write(self, result: SegmentationResult, stage: Stage = nullcontext) -> None:
        """Write all files.

        Parameters
        ----------
        result : SegmentationResult
        stage : callable, optional
            Called with the name of each stage of the work; returns a context that lasts as long as the stage.

        Raises
        ------
        OutputError
            A file cannot be written.
        OptionalDependencyError
            A library that draws or writes is not installed.
        """
        shown = self.presentation
        with ThreadPoolExecutor(1) as pool, translate_os_errors(self.folder):
            # Arrow writes without the interpreter lock, and charts are rendered by a process of their own.
            tables = pool.submit(self._write_tables, result)
            with nullcontext() if shown is None else shown.drawing(result) as drawing:
                with stage("Summarizing"):
                    _ = result.outline
                if drawing is not None:
                    drawing.outlined()
                with stage("Resampling"):
                    _ = result.stability
                with stage("Writing the report"):
                    self._write_data(result)
                    tables.result()
                    if drawing is not None:
                        self._text(_REPORT_FILE, drawing.page())
                        (self.folder / _PICTURE_FILE).write_bytes(drawing.picture())
                    if shown is not None and self.workbook:
                        shown.workbook(result, self.folder / WORKBOOK_FILE)

    def _write_tables(self, result: SegmentationResult) -> None:
        if result.whole is not None:
            result.whole.write(self.folder)
            return
        result.assignment.write(self.folder / "segments.csv")
        result.assignment.write(self.folder / "segments.parquet")
        if self.survey is not None:
            result.assignment.write(self.folder / f"segments{self.survey}")

    def _write_data(self, result: SegmentationResult) -> None:
        _write_profiles(result, self.folder / "profiles.csv")
        self._text(
            "model.json",
            with_reference(
                result.model, result.table, result.weights, result.outlier_rows, result.outlier_weights
            ).to_json(),
        )
        self._text("summary.json", readable_json(result.document.to_dict()))

    def _text(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, encoding="utf-8")


@contextmanager
def deliver(
    folder: str | Path,
    *,
    presentation: Presentation | None = None,
    workbook: bool = False,
    survey: str | None = None,
    overwrite: bool = False,
    in_database: bool = False,
) -> Iterator[Delivery]:
    """Give a directory to write results in; it takes its final name when the block ends without an error.

    Entering it already shows whether the place can be written, so that nothing is computed in vain.

    Parameters
    ----------
    folder : str or Path
        Where the directory shall be. Its parent exists.
    presentation : Presentation or None, default=None
        Draws picture, page and workbook, such as `mixtura.report.REPORT`; None to write none of them.
    workbook : bool, default=False
        Write a workbook as well.
    survey : {".sav", ".dta"} or None, default=None
        Write the customers as a file of SPSS or Stata as well, in which segments have their names as labels.
    overwrite : bool, default=False
        Replace a directory of that name, if it holds nothing but results of a segmentation.
    in_database : bool, default=False
        Whether the customers stay in a database, see `segment_in_database`.

    Raises
    ------
    OutputError
        The place exists, or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import Effort, deliver, segment_table
    >>> result = segment_table(make_customers(60, as_frame="polars"), components=[2])
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with deliver(pathlib.Path(parent, "out")) as delivery:
    ...         delivery.write(result.with_effort(Effort(resamples=0)))
    ...     sorted(path.name for path in pathlib.Path(parent, "out").iterdir())
    ['model.json', 'profiles.csv', 'segments.csv', 'segments.parquet', 'summary.json']
    """
    ready = nullcontext() if presentation is None else presentation.ready()
    replaceable = (*RESULT_FILES, *_SURVEY_FILES, WORKBOOK_FILE, SCORING_FILE)
    with output_directory(folder, files=replaceable, overwrite=overwrite) as temporary, ready:
        yield Delivery(temporary, presentation, workbook, survey, in_database)


_TEXTS = ("segment_name", "column", "role", "level")
_COUNTS = ("segment", "count", "missing")
_NUMBERS = (
    "share", "population_share", "lift", "mean", "sd", "minimum", "q1", "median", "q3", "maximum", "iqr",
    "difference", "cohens_d", "overlap", "divergence_bits", "distinctness",
)  # fmt: skip


def _write_profiles(result: SegmentationResult, path: Path) -> None:
    rows = profile_rows(result)
    names = ("segment", "segment_name", "column", "role", "level", "count", "missing", *_NUMBERS)
    write_table(path, {}, {name: _cells(name, rows) for name in names}, np.ones(len(rows), dtype=bool))


def _cells(name: str, rows: list[dict[str, Any]]) -> Array:
    """Return a column; what a row does not have is masked."""
    found = [row.get(name) for row in rows]
    missing = [value is None for value in found]
    kind, empty = (object, "") if name in _TEXTS else (np.int64, 0) if name in _COUNTS else (np.float64, 0.0)
    return np.ma.MaskedArray(
        np.array([empty if value is None else value for value in found], dtype=kind), missing
    )
