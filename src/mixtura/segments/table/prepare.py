"""From a table to numbers that can be searched: what segmenting and selecting have in common."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray
from mixtura.core.parts.known_labels import with_known
from mixtura.core.protocols import MixedRows, RowTable, continuous_rows
from mixtura.exceptions import ColumnError, ColumnWarning
from mixtura.io import release_arrow_memory
from mixtura.segments.known.known_column import KnownColumn, known_notes, read_known
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.options import COVARIANCE_TYPES, Settings
from mixtura.segments.stability.transform_gain import keep_gains
from mixtura.segments.table.columns import ColumnChoice, choose
from mixtura.segments.table.complete import missing_notes, usable_rows
from mixtura.segments.table.constant_columns import drop_constant_columns
from mixtura.segments.table.dependent_columns import drop_dependent_columns
from mixtura.segments.table.discrete.coding import Coding, coding_of, with_missing_levels
from mixtura.segments.table.discrete.find_kinds import describing_notes, with_kinds, with_spikes
from mixtura.segments.table.discrete.kinds import Kinds, kind_notes
from mixtura.segments.table.original_units import to_original_units
from mixtura.segments.table.quotient_columns import drop_quotients
from mixtura.segments.table.repetitions import ids_repeat, repetition_notes
from mixtura.segments.table.roles import Roles, checked_weights
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.table.survey.missing_codes import codes_asked
from mixtura.segments.transforms.recommend_transform import (
    EVERY_OTHER,
    TransformAdvice,
    check_transforms,
    transforms_of,
)
from mixtura.segments.transforms.scaling import Scaling, scaling_of
from mixtura.select import OnCandidate, OnFold, SearchResult

__all__ = ["Prepared", "mixed_rows", "prepare", "warn_of_columns"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """The rows of a table as they are searched.

    Parameters
    ----------
    choice : ColumnChoice
    rows : ndarray of shape (n_complete, D)
        In the user's units; NaN where a value is missing.
    weights : ndarray of shape (n_complete,) or None
        How much each of them counts.
    complete : ndarray of shape (N,), bool
        Which rows of the table are used: those with a value, or where it was asked for, with all values.
    scaling : Scaling
    advice : tuple of TransformAdvice, length D
        What the rule says of each column, whether or not it was asked.
    frame : dataframe
        The table as it is used, see `open_table`.
    notes : tuple of str
        What was changed when the table was read.
    ids_repeat : bool
        Whether customers have the same id.
    coding : Coding or None, default=None
        The discrete columns.
    levels : ndarray of shape (n_complete, J) or None, default=None
        Of these columns.
    missing_codes : mapping of str to sequence of float, default={}
        As they were said.
    sentinels : mapping of str to float, default={}
        Numbers that stand for missing values, by column.
    reading_notes : tuple of str, default=()
        The `notes` but for those that count missing values.
    known : KnownColumn or None, default=None
        Which segment some rows are known to be in.
    kept : SegmentModel or None, default=None
        Of which the segments stay as they are.
    drop_missing : bool, default=False
        Whether rows that lack a value are left out, or those without any only.
    """

    choice: ColumnChoice
    rows: FloatArray
    weights: FloatArray | None
    complete: Array
    scaling: Scaling
    advice: tuple[TransformAdvice, ...]
    frame: Any
    notes: tuple[str, ...]
    ids_repeat: bool
    coding: Coding | None = None
    levels: IntArray | None = None
    missing_codes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    sentinels: Mapping[str, float] = field(default_factory=dict)
    reading_notes: tuple[str, ...] = ()
    known: KnownColumn | None = None
    kept: SegmentModel | None = None
    drop_missing: bool = False

    @property
    def table(self) -> RowTable:
        """The rows in the user's units, with their levels, and with what is known of them as the last of these."""
        return self.columns_table if self.known is None else with_known(self.columns_table, self.known.labels)

    @property
    def columns_table(self) -> RowTable:
        """The rows in the user's units, with the levels of their discrete columns where there are some."""
        if self.coding is None or self.levels is None:
            return self.rows
        return MixedRows(self.rows, self.levels, self.coding.discrete)

    def only(self, chosen: Array) -> Prepared:
        """Return some of the rows, (n_complete,); the others are in no segment."""
        complete = self.complete.copy()
        complete[np.flatnonzero(complete)[~chosen]] = False
        return replace(
            self,
            rows=np.ascontiguousarray(self.rows[chosen]),
            weights=None if self.weights is None else self.weights[chosen],
            complete=complete,
            levels=None if self.levels is None else np.ascontiguousarray(self.levels[chosen]),
            known=None if self.known is None else self.known.only(chosen),
        )

    def search(
        self, settings: Settings, on_candidate: OnCandidate | None = None, on_fold: OnFold | None = None
    ) -> SearchResult:
        """Search over scaled rows; return likelihoods and degenerate values in the user's units, mixtures in scaled.

        Scaling and transforming add ``sum_n w_n log |dz/dx|`` to every log-likelihood, and parameters of transforms
        that were chosen by likelihood count for every model; the ranking stays, and criteria can be compared with those
        of other transforms. What is held out in folds is scaled with the others.
        """
        seen, masked = self.scaling.seen(self.table), self.scaling.masked(self.rows)
        scaled = continuous_rows(seen)
        steps = scaled_steps(self.rows, self.scaling)
        keep = None if self.kept is None else self.kept.mixture
        found = settings.search(seen, on_candidate, on_fold, self.weights, steps, keep)
        jacobian = self.scaling.log_jacobian(masked, observed=True)
        added = float(jacobian.sum() if self.weights is None else jacobian @ self.weights)
        candidates = tuple(
            replace(
                candidate,
                log_likelihood=candidate.log_likelihood + added,
                single_log_likelihood=candidate.single_log_likelihood + added,
                n_parameters=candidate.n_parameters + self.scaling.n_parameters,
                degeneracies=to_original_units(candidate.degeneracies, masked, scaled),
                folds=None if candidate.folds is None else candidate.folds.shifted(added),
            )
            for candidate in found.candidates
        )
        return found.measured_as(candidates)


def prepare(frame: Any, roles: Roles, settings: Settings, *, drop_missing: bool) -> Prepared:
    """Choose columns, take the usable rows, transform them, find the scale of each column; see `segment_table`."""
    found = replace(_prepared(frame, roles, settings, drop_missing=drop_missing), drop_missing=drop_missing)
    if roles.known is None:
        return found
    known = read_known(found.frame, roles.known, found.complete, found.weights, found.choice.codebook)
    return replace(found, known=known, notes=(*found.notes, *known_notes(known, len(found.choice.used))))


def _prepared(frame: Any, roles: Roles, settings: Settings, *, drop_missing: bool) -> Prepared:
    """Return the table but for what is known of its rows."""
    asked = check_transforms(settings.transform)
    opened, weight = roles.open(frame), roles.weight
    choice, guessed = choose(opened, roles), roles.id_column is None
    transformed = {name for name, kind in asked.items() if kind not in ("none", "auto")}
    choice = with_kinds(opened.frame, choice, roles, transformed)
    needed = choice.building if weight is None else (*choice.building, weight)
    notes = (*opened.notes(needed), *repetition_notes(opened.frame, choice, guessed=guessed))
    repeated = ids_repeat(opened.frame, choice, guessed=guessed)
    release_arrow_memory()
    rows, weights, complete = usable_rows(
        opened.frame,
        choice.used,
        drop_missing=drop_missing,
        weight=weight,
        notes=notes,
        discrete=choice.discrete,
    )
    if weights is not None:
        weights = checked_weights(weights, str(weight))
    choice, rows = _with_information(choice, rows, opened.frame, complete, named=roles.columns is not None)
    asked = check_transforms(settings.transform, choice.used, choice.discrete)
    transforms, advice = transforms_of(asked, choice.used, rows, weights)
    by_rule = [asked.get(name, asked[EVERY_OTHER]) == "auto" for name in choice.used]
    transforms, advice = keep_gains(rows, weights, transforms, advice, by_rule, settings)
    scaling = with_spikes(scaling_of(rows, weights, transforms), choice.used, choice.kinds)
    _check_scale(choice.used, scaling)
    if not choice.discrete:
        rows, weights, complete = _with_values(rows, weights, complete)
    choice = replace(choice, kinds=tuple(one for one in choice.kinds if one.name in choice.building))
    coding = coding_of(choice.kinds, opened.frame, complete, weights, choice.codebook)
    levels = None if coding is None else coding.levels(opened.frame, complete)
    reading_notes = (*notes, *kind_notes(choice.kinds), *describing_notes(choice))
    notes = (*reading_notes, *missing_notes(*with_missing_levels(rows, choice.used, coding, levels)))
    sentinels = {one.column: one.value for one in opened.sentinels}
    return Prepared(
        choice, rows, weights, complete, scaling, advice, opened.frame, notes, repeated, coding, levels,
        codes_asked(roles.missing_codes), sentinels, reading_notes,
    )  # fmt: skip


def _with_information(
    choice: ColumnChoice, rows: FloatArray, frame: Any, usable: Array, *, named: bool
) -> tuple[ColumnChoice, FloatArray]:
    """Leave out columns that hold nothing of their own: constants, sums and quotients of others."""
    choice, rows = drop_constant_columns(choice, rows, explicit=named)
    choice, rows = drop_dependent_columns(choice, rows, explicit=named)
    return drop_quotients(choice, rows, frame, usable, explicit=named)


def _with_values(
    rows: FloatArray, weights: FloatArray | None, usable: Array
) -> tuple[FloatArray, FloatArray | None, Array]:
    """Leave out rows that have no value in the columns that are left."""
    known = ~np.isnan(rows).all(axis=1)
    if known.all():
        return rows, weights, usable
    usable = usable.copy()
    usable[np.flatnonzero(usable)[~known]] = False
    return np.ascontiguousarray(rows[known]), None if weights is None else weights[known], usable


def mixed_rows(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    kinds: Kinds = "auto",
    transform: str | Mapping[str, str] = "none",
) -> RowTable:
    """Return the rows of a table as `mixtura.select.search` takes them: standardized, with their discrete columns.

    Columns are chosen, and taken for what they are, as `segment_table` does. Rows without any value are left out.

    Parameters
    ----------
    frame : pandas, polars or pyarrow table
        N rows.
    columns : sequence of str or None, default=None
        Columns to use; None for all that describe customers.
    kinds : {"auto", "continuous"} or mapping of str to str, default="auto"
    transform : str or mapping of str to str, default="none"
        As for `segment_table`.

    Returns
    -------
    MixedRows or ndarray of shape (n, D)
        An array where no column is discrete or has a point mass.

    Raises
    ------
    MixturaError
        As `segment_table`.

    Examples
    --------
    >>> import numpy as np, polars
    >>> from mixtura.segments import mixed_rows
    >>> from mixtura.select import search
    >>> rng = np.random.default_rng(0)
    >>> group = rng.integers(2, size=400)
    >>> table = polars.DataFrame({"age": rng.normal(40 + 9 * group, 8), "visits": rng.poisson(1 + 4 * group)})
    >>> rows = mixed_rows(table)
    >>> rows.shape, rows.levels.shape
    ((400, 1), (400, 1))
    >>> search(rows, components=[1, 2, 3], covariance_types="full").best.n_components
    2
    """
    settings = Settings(None, COVARIANCE_TYPES, "bic", 1, 0, transform=transform)
    prepared = prepare(frame, Roles(columns, kinds=kinds, alone=True), settings, drop_missing=False)
    return prepared.scaling.seen(prepared.table)


def warn_of_columns(prepared: Prepared) -> None:
    """Warn of columns of numbers that are left out, and of what was changed when the table was read."""
    left_out = [f"{one.name!r} ({one.reason})" for one in prepared.choice.left_out if one.numeric]
    sentences = [*prepared.notes]
    if left_out:
        sentences.append(
            f"Left out, though numbers: {', '.join(left_out[:8])}{', ...' if len(left_out) > 8 else ''}. Name the "
            "columns to use with `columns`; `columns.left_out` of the result has all others."
        )
    if sentences:
        warnings.warn(f"Columns of the table: {' '.join(sentences)}", ColumnWarning, stacklevel=3)


def _check_scale(columns: Sequence[str], scaling: Scaling) -> None:
    for name, scale, transform in zip(columns, scaling.scale, scaling.transforms, strict=True):
        if not (np.isfinite(scale) and scale > 0):
            raise ColumnError(
                f"The column {name!r} (transform {transform.kind}) has no differences among the rows that count. "
                "A column with differences is required. Choose another transform, or leave it out of `columns`.",
                column=name,
            )
