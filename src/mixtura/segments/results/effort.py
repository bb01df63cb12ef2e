"""How much is computed for what is estimated by sampling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mixtura.exceptions import ParameterError

__all__ = ["Effort"]


_RESAMPLES = (50, 20)
"""Of small tables, and of others."""

_SMALL = 20_000
"""Up to this product of rows, columns and segments, fifty resamples take about a second."""

_MOST_SEGMENTS = 12
"""With more segments, the stability is not measured unasked: refits would take longer than all the rest."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a report computes: fewer draws are quicker and less exact.

    Parameters
    ----------
    resamples : int or None, default=None
        Resamples for the stability; 0 for none. None for 50 of small tables and 20 of others (of tables with more than
        5,000 rows a sample is resampled), and none with more than 12 segments.
    draws : int, default=4,000
        Rows drawn from each component for the overlaps.
    points : int, default=2,000
        Customers for whom silhouette widths are computed, at most; of more, this many are drawn at random.
    on_resample : callable, optional
        Called after each resample with how many are done, and how many there are.

    Raises
    ------
    ParameterError
        `resamples` is 1 or negative, `draws` is below 1, or `points` below 2.

    Examples
    --------
    >>> from mixtura.segments import Effort
    >>> Effort(resamples=0, draws=1_000)
    Effort(resamples=0, draws=1000, points=2000)
    """

    resamples: int | None = None
    draws: int = 4_000
    points: int = 2_000
    on_resample: Callable[[int, int], object] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.resamples is not None and (self.resamples < 0 or self.resamples == 1):
            raise ParameterError(
                f"`resamples` must be 0, or at least 2; got {self.resamples!r}. Try `resamples=20`."
            )
        if self.draws < 1:
            raise ParameterError(f"`draws` must be at least 1; got {self.draws!r}. Try `draws=4000`.")
        if self.points < 2:
            raise ParameterError(f"`points` must be at least 2; got {self.points!r}. Try `points=2000`.")

    def resamples_of(self, n_rows: int, n_columns: int, n_segments: int) -> int:
        """Return how many resamples a table gets of which this many rows are resampled."""
        if self.resamples is not None:
            return self.resamples
        if n_segments > _MOST_SEGMENTS:
            return 0
        return _RESAMPLES[n_rows * n_columns * n_segments > _SMALL]
