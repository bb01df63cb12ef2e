"""How much work a search is: on how many rows its models are found, and who shares it."""

from __future__ import annotations

from collections.abc import Iterable

from mixtura.core.accumulate import pass_work
from mixtura.core.covariance import count_parameters, get_family
from mixtura.run import Workers, get_threads, ready_workers

__all__ = ["level_sizes", "refit_seconds", "search_seconds", "workers_for"]

_FEWEST_ROWS = 2_000
_ROWS_PER_PARAMETER = 10
"""Rows per free parameter on the first level, which has at least 2,000 rows."""

_LARGER = 4
"""Growth of the number of rows from level to level; the last before all rows has at most half of them."""

_PASSES, _FURTHER_PASSES = 100, 30
"""Passes that finding a model takes at its first level, and at each further one; roughly."""

_PER_MODEL, _MANY_FEATURES, _MORE = 7e-3, 10, 3
"""Seconds that a model takes beside its passes over rows, roughly; times as many where there are more columns."""

_PER_SECOND = 2e10
"""Floating-point operations of a pass in a second, roughly."""

_REFIT_PASSES, _PER_REFIT = 30, 8e-4
"""Passes of a fit from a mixture that is near, and seconds that it takes beside them."""

_SHORT = 0.05
"""Seconds up to which one thread does everything."""

_LONG, _LONG_WHEN_READY = 2.5, 0.5
"""Seconds from which on processes are faster than threads, a third of whose time is Python's: where they have to be
started, and where they are there."""


def level_sizes(n_rows: int, n_parameters: int) -> list[int]:
    """Return the numbers of rows on which a model is found, from few to all."""
    size = 1 << (max(_FEWEST_ROWS, _ROWS_PER_PARAMETER * n_parameters) - 1).bit_length()
    sizes = []
    while 2 * size <= n_rows:
        sizes.append(size)
        size *= _LARGER
    return [*sizes, n_rows]


def search_seconds(cells: Iterable[tuple[str, int]], n_rows: int, n_features: int) -> float:
    """Return about how long one core takes to find models, given by family and number of components."""
    seconds = 0.0
    for family, k in cells:
        passes, moments = _PASSES, get_family(family).moments[0]
        seconds += _PER_MODEL * (1 if n_features <= _MANY_FEATURES else _MORE)
        for size in level_sizes(n_rows, count_parameters(family, k, n_features)):
            seconds += passes * pass_work(moments.layout, size, k, n_features) / _PER_SECOND
            passes = _FURTHER_PASSES
    return seconds


def refit_seconds(family: str, n_components: int, n_rows: int, n_features: int) -> float:
    """Return about how long a fit from a mixture that is near takes."""
    work = pass_work(get_family(family).moments[0].layout, n_rows, n_components, n_features)
    return _PER_REFIT + _REFIT_PASSES * work / _PER_SECOND


def workers_for(seconds: float, n_tasks: int) -> Workers:
    """Return who does work of some seconds and tasks: as many as there are threads to use.

    No more than one for two tasks: fewer tasks are shared better by threads inside passes.
    """
    count = max(1, min(get_threads(), n_tasks // 2))
    return Workers(
        count if seconds > _SHORT else 1, seconds > (_LONG_WHEN_READY if ready_workers() else _LONG)
    )
