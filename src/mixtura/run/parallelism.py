"""The number of threads that passes use, and the runner for it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

from mixtura.core.protocols import Runner
from mixtura.exceptions import ParameterError
from mixtura.run.serial import SerialRunner
from mixtura.run.threads import ThreadRunner
from mixtura.run.workers.one_thread import has_one_thread

__all__ = ["get_runner", "get_threads", "set_threads", "with_jobs"]

VARIABLE = "MIXTURA_NUM_THREADS"

_chosen: list[int] = []


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_threads() -> int:
    """Return how many threads a pass uses.

    What `set_threads` chose last, else the environment variable ``MIXTURA_NUM_THREADS``, else all cores; one where the
    caller is itself one of several threads that do tasks of mixtura's.

    Raises
    ------
    ParameterError
        The environment variable is not a positive whole number.

    Examples
    --------
    >>> import mixtura
    >>> with mixtura.set_threads(2):
    ...     mixtura.get_threads()
    2
    """
    if has_one_thread():
        return 1
    if _chosen:
        return _chosen[-1]
    text = os.environ.get(VARIABLE)
    return available_cores() if text is None else _as_count(text, f"The environment variable {VARIABLE}")


def _as_count(value: int | str, what: str) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = 0
    if count < 1 or isinstance(value, float):
        raise ParameterError(
            f"{what} must be a whole number from 1; got {value!r}. Use 1 for a single thread."
        )
    return count


class set_threads(AbstractContextManager[None]):  # noqa: N801 -- called like a function
    """Choose how many threads passes use; as a context manager, until it is left.

    The results are the same for any number of threads, to the last bit.

    Parameters
    ----------
    n_threads : int
        At least 1.

    Raises
    ------
    ParameterError
        It is not a positive whole number.

    Examples
    --------
    >>> import mixtura
    >>> with mixtura.set_threads(1):
    ...     labels = mixtura.GaussianMixture(2, random_state=0).fit_predict([[0.0], [0.1], [5.0], [5.2]])
    """

    def __init__(self, n_threads: int) -> None:
        self._before = list(_chosen)
        _chosen[:] = [_as_count(n_threads, "`n_threads`")]

    def __exit__(self, *exc: object) -> None:
        _chosen[:] = self._before


def with_jobs(n_jobs: int | None) -> AbstractContextManager[None]:
    """Return a context with this many threads: -1 for all cores, None to leave them as they are."""
    return nullcontext() if n_jobs is None else set_threads(available_cores() if n_jobs == -1 else n_jobs)


def get_runner(*, hold_blas: bool = False) -> Runner:
    """Return the runner for the number of threads chosen.

    Parameters
    ----------
    hold_blas : bool, default=False
        Hold BLAS to one thread during a pass: for kernels that use it.
    """
    n_threads = get_threads()
    if n_threads == 1:
        return SerialRunner(hold_blas=hold_blas)
    return ThreadRunner(n_threads, hold_blas=hold_blas)
