"""What was asked for, checked, and the search that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import MCLUST_NAMES, NAMES
from mixtura.core.mixture import Mixture
from mixtura.core.parts.level_models import KNOWN
from mixtura.core.protocols import MixedRows, RowTable
from mixtura.exceptions import ParameterError, TooFewRowsError
from mixtura.segments.merging.grouped import check_merge
from mixtura.select import CRITERIA, OnCandidate, OnFold, SearchResult, search
from mixtura.select.known_rows import n_known_components
from mixtura.select.model_search.robustness import ROBUST
from mixtura.select.priors import PRIORS, PriorName
from mixtura.select.scores.folds import rows_fitted
from mixtura.validation import SEED, SHARE, Interval, count_rows, require, whole_numbers

__all__ = ["COVARIANCE_TYPES", "FACTOR_TYPES", "Settings", "drawn_seed"]

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
"""What is tried where nothing is asked for; any name of a family, or "all", may be."""

FACTOR_TYPES = ("UUC-1", "UUC-2", "UUC-4", "UCC-1", "UCC-2", "UCC-4")
"""What is tried too with many columns: covariances of one, two and four factors whose M-step is in closed form. Each
factor costs about K D parameters; the numbers double, so that the search stays short."""

_MANY_COLUMNS = 20

_COMPONENTS = range(1, 10)

_BESIDE_KNOWN = 4
"""Segments that are looked for beside those known, where these are many."""


def drawn_seed(random_state: int | None) -> int:
    """Return a seed; None draws one.

    Raises
    ------
    ParameterError
        It is not a whole number from 0 to 2**32 - 1.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments.options import drawn_seed
    >>> drawn_seed(np.int64(7)), 0 <= drawn_seed(None) < 2**32
    (7, True)
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    require("random_state", random_state, SEED, "Try `random_state=0`.")
    return int(random_state)


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for, checked."""

    components: Sequence[int] | None
    covariance_types: Sequence[str]
    criterion: str
    n_init: int
    random_state: int | None
    anomaly_percentile: float = 4.0
    source: str = "table"
    transform: str | Mapping[str, str] = "none"
    prior: PriorName | float = "floor"
    n_folds: int = 10
    min_share: float = 0.0
    robust: str = "none"
    merge: str | int | None = None
    checkpoint: str | Path | None = None
    keep_interrupted: bool = False

    def __post_init__(self) -> None:
        self._convert()
        if not self.covariance_types or not set(self.covariance_types) <= {*NAMES, "all"}:
            raise ParameterError(
                f"`covariance_types` must be among {', '.join((*COVARIANCE_TYPES, *MCLUST_NAMES))}, or 'all', or those "
                f"of factors, such as 'UUU-2'; got {list(self.covariance_types)!r}. Leave it out to try the first four."
            )
        require("criterion", self.criterion, CRITERIA, "Try `criterion='bic'`.")
        require("prior", self.prior, PRIORS, "Try `prior='floor'`.")
        require("n_init", self.n_init, Interval(1, whole=True), "Try `n_init=5`.")
        require("min_share", self.min_share, SHARE, "Try `min_share=0.05`.")
        require("robust", self.robust, ROBUST, "Try `robust='auto'`.")
        check_merge(self.merge)
        percentiles = Interval(0, 100, open_high=True)
        require("anomaly_percentile", self.anomaly_percentile, percentiles, "Try `anomaly_percentile=4`.")

    def _convert(self) -> None:
        """Take arrays, single values, what can be gone through once, and None for a seed that is drawn."""
        if self.components is not None:
            listed = whole_numbers("components", _listed(self.components), 1)
            object.__setattr__(self, "components", listed)
        names = [self.covariance_types] if isinstance(self.covariance_types, str) else self.covariance_types
        object.__setattr__(self, "covariance_types", tuple(names))
        object.__setattr__(self, "random_state", drawn_seed(self.random_state))

    @property
    def seed(self) -> int:
        """The seed, drawn where None was given."""
        return drawn_seed(self.random_state)

    def numbers(self, rows: RowTable, weights: FloatArray | None = None) -> list[int]:
        """Return the numbers of components to try: those asked for, or as many as there are rows for."""
        n_rows, n_known = count_rows(rows, weights), n_known_components(rows)
        fewest = rows_fitted(n_rows, self.n_folds) if self.criterion == "cv" else n_rows
        if n_known and self.components is None:
            return list(range(n_known, max(_COMPONENTS.stop, n_known + _BESIDE_KNOWN + 1)))
        return _feasible(self.components, n_rows, fewest)

    def families(self, rows: RowTable) -> tuple[str, ...]:
        """Return the covariance types to try for rows; those that were asked for, if some were.

        With 20 columns and more those of factors, too: full covariances then have more parameters than most tables
        determine, and diagonal ones no correlations. Beside discrete columns no spherical ones: each of these columns
        has a distribution of its own, and that all others vary equally would be a matter of their scales. Tied ones
        stay: where groups share a covariance they are found better with them, and where not MMDL says so.
        """
        if self.covariance_types is not COVARIANCE_TYPES:
            return tuple(self.covariance_types)
        tried: tuple[str, ...] = COVARIANCE_TYPES
        if isinstance(rows, MixedRows) and any(model != KNOWN for model in rows.discrete.models):
            tried = tuple(one for one in tried if one != "spherical")
        return (*tried, *FACTOR_TYPES) if rows.shape[1] >= _MANY_COLUMNS else tried

    def search(
        self,
        scaled: RowTable,
        on_candidate: OnCandidate | None,
        on_fold: OnFold | None,
        weights: FloatArray | None = None,
        rounding: FloatArray | None = None,
        keep: Mixture | None = None,
    ) -> SearchResult:
        beside = None if keep is None or self.components is not None else keep.n_components
        return search(
            scaled,
            components=self.numbers(scaled, weights)
            if beside is None
            else range(beside, beside + _BESIDE_KNOWN + 1),
            keep=keep,
            covariance_types=self.families(scaled),
            criterion=self.criterion,
            n_folds=self.n_folds,
            n_init=self.n_init,
            random_state=self.seed,
            sample_weight=weights,
            prior=self.prior,
            missing="fiml",
            min_share=self.min_share,
            robust=self.robust,
            rounding=rounding,
            checkpoint=self.checkpoint,
            keep_interrupted=self.keep_interrupted,
            on_candidate=on_candidate,
            on_fold=on_fold,
        )


def _listed(components: Any) -> Any:
    """Return an array as a list, and a single number in one."""
    listed = components.tolist() if isinstance(components, np.ndarray | np.generic) else components
    return [listed] if isinstance(listed, int) else listed


def _feasible(components: Sequence[int] | None, n_rows: int, fewest: int) -> list[int]:
    """Return numbers of components: those asked for, or as many as the smallest fit has rows for."""
    if components is None:
        return [count for count in _COMPONENTS if count <= fewest]
    if max(components) > n_rows:
        raise TooFewRowsError(
            f"`components` must be at most the number of rows that are used, {n_rows}; got {max(components)}. Use far "
            "fewer segments than rows."
        )
    return sorted(set(components))
