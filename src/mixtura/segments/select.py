"""Which mixture describes a table: every model tried, the best first, without segments made of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import Array
from mixtura.io import translate_os_errors, write_table
from mixtura.segments.options import COVARIANCE_TYPES, Settings
from mixtura.segments.results.notes import interruption_notes, transform_notes
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.table.discrete.kinds import Kinds
from mixtura.segments.table.prepare import Prepared, prepare, warn_of_columns
from mixtura.segments.table.roles import Roles
from mixtura.segments.table.survey.accepted_weight import accepted_weight
from mixtura.segments.table.survey.missing_codes import MissingCodes
from mixtura.select import OnCandidate, OnFold, SearchResult
from mixtura.select.priors import PriorName

__all__ = ["Selection", "select_table", "write_selection"]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The models tried on a table.

    Parameters
    ----------
    columns : ColumnChoice
    found : SearchResult
        Log-likelihoods, criteria and what is said of degenerate models in the user's units; the mixtures are of
        standardized columns.
    n_rows : int
        Complete rows, which the models were fitted to.
    n_dropped : int
        Rows left out because values are missing.
    seconds : float
        From the call to the result.
    notes : tuple of str, default=()
        What the user should hear of the columns.
    """

    columns: ColumnChoice
    found: SearchResult
    n_rows: int
    n_dropped: int
    seconds: float
    notes: tuple[str, ...] = ()


def select_table(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    components: Sequence[int] | None = None,
    covariance_types: Sequence[str] | None = None,
    criterion: str = "bic",
    n_init: int = 1,
    random_state: int | None = 0,
    drop_missing: bool = False,
    weight: str | None = None,
    transform: str | Mapping[str, str] = "none",
    prior: PriorName | float = "floor",
    kinds: Kinds = "auto",
    missing_codes: MissingCodes = None,
    n_folds: int = 10,
    min_share: float = 0.0,
    robust: str = "none",
    checkpoint: str | Path | None = None,
    keep_interrupted: bool = False,
    on_candidate: OnCandidate | None = None,
    on_fold: OnFold | None = None,
) -> Selection:
    """Fit every covariance type with every number of components to a table, and rank them.

    Columns are chosen and standardized as `segment_table` does, and results are in the user's units.

    Parameters
    ----------
    frame, columns, id_column, components, covariance_types, criterion, n_init, random_state, drop_missing
        As for `segment_table`.
    weight, transform, prior, kinds, missing_codes, n_folds, min_share, checkpoint, keep_interrupted
        As for `segment_table`.
    on_candidate, on_fold
        As for `segment_table`.
    robust : {"none", "noise", "t", "auto"}, default="none"
        What models have against outliers, see `mixtura.select.search`.

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    ColumnError, TableError
        A column is missing or not numeric, or none is left.
    MissingValuesError, TooFewRowsError, DataError
        The rows cannot be used.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import select_table
    >>> selection = select_table(make_customers(as_frame="polars"), components=[2, 3, 4])
    >>> best = selection.found.best
    >>> best.covariance_type, best.n_components, selection.found.boundary_warning
    ('tied', 3, None)
    """
    started = time.perf_counter()
    settings = Settings(
        components, covariance_types or COVARIANCE_TYPES, criterion, n_init, random_state, transform=transform,
        prior=prior, n_folds=n_folds, min_share=min_share, robust=robust, checkpoint=checkpoint,
        keep_interrupted=keep_interrupted,
    )  # fmt: skip
    roles = Roles(
        columns, id_column, weight=accepted_weight(frame, weight), kinds=kinds, missing_codes=missing_codes,
        alone=True,
    )  # fmt: skip
    prepared = prepare(frame, roles, settings, drop_missing=drop_missing)
    warn_of_columns(prepared)
    found = prepared.search(settings, on_candidate, on_fold)
    return _selection(prepared, found, started)


def _selection(prepared: Prepared, found: SearchResult, started: float) -> Selection:
    n_rows, n_dropped = len(prepared.rows), int((~prepared.complete).sum())
    notes = (
        *interruption_notes(found),
        *prepared.notes,
        *transform_notes(prepared.advice, prepared.scaling.transforms, prepared.choice.kinds),
    )
    return Selection(prepared.choice, found, n_rows, n_dropped, time.perf_counter() - started, notes)


def write_selection(selection: Selection, folder: str | Path, *, picture: bytes | None = None) -> None:
    """Write the files of a selection, `mixtura.io.SELECTION_FILES`, into a directory.

    Parameters
    ----------
    selection : Selection
    folder : str or Path
        An existing directory, as `mixtura.io.output_directory` gives one.
    picture : bytes or None, default=None
        ``selection.png``, from `mixtura.plot.draw_criterion`.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    folder, rows = Path(folder), selection.found.table(selection.columns.used, first=1)
    fitted = np.array([row["failure"] is None for row in rows])
    numbers = [name for name, value in rows[fitted.argmax()].items() if isinstance(value, float)]
    whole = {"rank": np.arange(1, len(rows) + 1)} | {
        name: _column([row[name] for row in rows]) for name in rows[0] if name not in numbers
    }
    measured = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in numbers}
    write_table(folder / "selection.csv", whole, measured, fitted)
    if picture is not None:
        with translate_os_errors(folder):
            (folder / "selection.png").write_bytes(picture)


def _column(values: list[Any]) -> Array:
    """Return whole numbers as they are, and text with an empty one where there is none."""
    if all(isinstance(value, int) for value in values):
        return np.array(values)
    return np.array(["" if value is None else value for value in values], dtype=object)
