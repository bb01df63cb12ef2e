"""scikit-learn's callbacks, from its release 1.9 on: what progress bars and monitors of scores are called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np
from sklearn.base import _fit_context

from mixtura._typing import FloatArray, RowArray
from mixtura.core.maximize import Repair
from mixtura.core.mixture import Mixture
from mixtura.fit import Settings
from mixtura.fit.loop.driver import Step, ignore
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.state import StepResult
from mixtura.fit.loop.stopping import Progress
from mixtura.fit.loop.trace import Event
from mixtura.fit.steps.em import Problem

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitTask", "checked", "checked_fit"]

F = TypeVar("F", bound=Callable[..., Any])

Attributes: TypeAlias = Mapping[str, Any]
"""Fitted attributes by name: with them a copy of the estimator predicts as if the fit had ended."""

_Watched: TypeAlias = tuple[Any, Mixture]
"""The state of a step, and the model that enters its next pass."""


def checked(method: F) -> F:
    """Check an estimator's parameters before a method, as scikit-learn does; the method keeps its types."""
    found: F = _fit_context(prefer_skip_nested_validation=True)(method)
    return found


def checked_fit(method: F) -> F:
    """Check an estimator's parameters before a fit, which callbacks see; the fit keeps its types."""
    found: F = with_callbacks(checked(method))
    return found


class FitTask:
    """A fit as callbacks see it: a task, with starts as subtasks and iterations as theirs.

    Parameters
    ----------
    estimator : estimator with callbacks
    rows : ndarray of shape (N, D)
    y : ignored in the fit, or labels (N,) to score with
        Scorers are only called where there are labels; where none were given, they are NaN.
    weights : ndarray of shape (N,) or None
    max_subtasks : int or None
        How many subtasks there will be at most, None where that is not known.
    """

    def __init__(
        self, estimator: Any, rows: RowArray, y: object, weights: FloatArray | None, max_subtasks: int | None
    ) -> None:
        self._about = {
            "estimator": estimator,
            "X": rows,
            "y": np.full(_count(rows), np.nan) if y is None else y,
            "metadata": None if weights is None else {"sample_weight": weights},
        }
        self._context = estimator._init_callback_context(max_subtasks=max_subtasks)  # noqa: SLF001 (its protocol)
        self._start: Any = None
        self._asked_to_stop = False
        self._context.call_on_fit_task_begin(**self._about)

    @classmethod
    def begin(
        cls, estimator: Any, rows: Any, y: object, weights: FloatArray | None, max_subtasks: int | None
    ) -> FitTask | None:
        """Return the task of a fit that begins, or None where no callbacks are set."""
        if not getattr(estimator, "_skl_callbacks", None):
            return None
        return cls(estimator, rows, y, weights, max_subtasks)

    def end(self, attributes: Attributes) -> None:
        """End the task with the fitted attributes."""
        self._end_start()
        self._context.call_on_fit_task_end(**self._about, reconstruction_attributes=attributes)

    def pass_over(self, name: str) -> None:
        """Begin and end a subtask of which nothing is shown."""
        subtask = self._context.subcontext(task_name=name)
        subtask.call_on_fit_task_begin(**self._about)
        subtask.call_on_fit_task_end(**self._about)

    def watch(self, settings: Settings, attributes: Callable[[Mixture], Attributes]) -> Settings:
        """Return settings whose iterations are subtasks, one start after the other; a callback may end a start."""

        def step(problem: Problem) -> Step[Mixture, Any]:
            self._end_start()
            self._start = self._context.subcontext(task_name="start", max_subtasks=settings.max_iter)
            self._start.call_on_fit_task_begin(**self._about)
            return _WatchedStep(settings.step(problem), self, attributes)

        def stop(progress: Progress) -> Outcome | None:
            asked, self._asked_to_stop = self._asked_to_stop, False
            return settings.stop(progress) or progress.satisfied(asked)

        def observe(event: Event, state: object) -> None:
            """Make starts run one after the other."""

        return replace(
            settings,
            step=step,
            stop=stop,
            observe=observe if settings.observe is ignore else settings.observe,
        )

    def iterate(self, watched: _WatchedStep, state: _Watched) -> tuple[_Watched, StepResult[Mixture]]:
        """Make a step as a subtask."""
        inner, model = state
        task = self._start.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(
            **self._about, reconstruction_attributes=lambda: watched.attributes(model)
        )
        inner, move = watched.step(inner)
        self._asked_to_stop = task.call_on_fit_task_end(
            **self._about, reconstruction_attributes=lambda: watched.attributes(move.model)
        )
        return (inner, move.model), move

    def _end_start(self) -> None:
        if self._start is not None:
            self._start.call_on_fit_task_end(**self._about)
            self._start = None


def _count(rows: Any) -> int:
    """Return how many rows there are; 0 where they are on a cluster and were not counted."""
    return rows.shape[0] if isinstance(rows, np.ndarray) else 0


@dataclass(frozen=True, slots=True, eq=False)
class _WatchedStep:
    """A step whose calls are subtasks."""

    step: Step[Mixture, Any]
    task: FitTask
    attributes: Callable[[Mixture], Attributes]

    def init(self, model: Mixture) -> _Watched:
        return self.step.init(model), model

    def __call__(self, state: _Watched) -> tuple[_Watched, StepResult[Mixture]]:
        return self.task.iterate(self, state)

    def final(self, state: _Watched) -> tuple[Mixture, tuple[Repair, ...]]:
        return self.step.final(state[0])
