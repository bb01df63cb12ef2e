"""The directory of a drift: which files it holds, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mixtura.io import output_directory, readable_json, translate_os_errors
from mixtura.segments.change.table_drift import TableDrift

if TYPE_CHECKING:
    from mixtura.segments.results.changes.drift_document import DriftDocument

__all__ = ["DRIFT_FILES", "deliver_drift"]

DRIFT_FILES = ("drift.json", "report.html", "movers.csv", "model.json")
"""What a drift may leave in its directory: movers where customers are known, a model where the verdict asks for one."""

Page = Callable[["DriftDocument"], str]


@contextmanager
def deliver_drift(
    folder: str | Path, *, overwrite: bool = False
) -> Iterator[Callable[[TableDrift, Page | None], tuple[str, ...]]]:
    """Give what writes a drift to a directory, which takes its name when the block ends without an error.

    Parameters
    ----------
    folder : str or Path
        Where the directory shall be. Its parent exists.
    overwrite : bool, default=False
        Replace a directory of that name that holds nothing but such files.

    Yields
    ------
    callable
        Takes a drift, and what draws the page of its document or None; returns the names of the files.

    Raises
    ------
    OutputError
        The place exists, or cannot be written.
    """
    from mixtura.segments.results.changes.build_drift import drift_document

    with output_directory(folder, files=DRIFT_FILES, overwrite=overwrite) as temporary:

        def write(found: TableDrift, page: Page | None) -> tuple[str, ...]:
            document = drift_document(found)
            with translate_os_errors(temporary):
                _text(temporary / "drift.json", readable_json(document.to_dict()))
                if page is not None:
                    _text(temporary / "report.html", page(document))
                if found.movers is not None:
                    found.movers.write(temporary / "movers.csv")
                if found.renewal is not None:
                    _text(temporary / "model.json", found.renewal.model.to_json())
            return tuple(name for name in DRIFT_FILES if (temporary / name).exists())

        yield write


def _text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
