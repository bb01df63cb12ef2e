"""From a table to numbers that can be searched: what segmenting and selecting have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mixtura._typing import Array, FloatArray
from mixtura.segments.columns import ColumnChoice, choose_columns
from mixtura.segments.constants import without_constants
from mixtura.segments.rows import Scaling, complete_rows
from mixtura.segments.settings import Settings
from mixtura.select import OnCandidate, SearchResult

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The rows of a table as they are searched.

    Parameters
    ----------
    choice : ColumnChoice
    rows : ndarray of shape (n_complete, D)
        In the user's units.
    complete : ndarray of shape (N,), bool
        Which rows of the table have all values.
    scaling : Scaling
    """

    choice: ColumnChoice
    rows: FloatArray
    complete: Array
    scaling: Scaling

    def search(self, settings: Settings, on_candidate: OnCandidate | None) -> SearchResult:
        """Search over standardized rows; return log-likelihoods in the user's units, mixtures in standardized ones.

        Scaling the columns adds ``N sum_d log scale_d`` to every log-likelihood; the ranking stays.
        """
        found = settings.search(self.scaling.apply(self.rows), on_candidate)
        added = len(self.rows) * self.scaling.log_volume
        candidates = tuple(
            replace(
                candidate,
                log_likelihood=candidate.log_likelihood - added,
                single_log_likelihood=candidate.single_log_likelihood - added,
            )
            for candidate in found.candidates
        )
        return replace(found, candidates=candidates)


def prepare(
    frame: Any, *, columns: Sequence[str] | None, id_column: str | None, drop_missing: bool
) -> Prepared:
    """Choose columns, take the complete rows, and find the scale of each column; see `segment_table`."""
    choice = choose_columns(frame, columns=columns, id_column=id_column)
    rows, complete = complete_rows(frame, choice.used, drop_missing=drop_missing)
    choice, rows, scaling = without_constants(choice, rows, explicit=columns is not None)
    return Prepared(choice, rows, complete, scaling)
