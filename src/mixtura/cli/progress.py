"""What is tried while it is tried, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mixtura.cli.console import error_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mixtura.select import Candidate

__all__ = ["model_progress", "working"]

_SHOWN = 5
"""Number of best models so far that are shown."""


class _Board:
    """The best models so far."""

    def __init__(self, criterion: str) -> None:
        self.criterion, self.best = criterion, list[Any]()

    def add(self, candidate: Candidate) -> None:
        if candidate.failure is None and not candidate.is_degenerate:
            self.best = sorted([*self.best, candidate], key=lambda one: float(one.criterion(self.criterion)))[
                :_SHOWN
            ]

    def table(self) -> Table:
        from mixtura.cli.console import plain_table

        shown = plain_table("best so far", "components", f"{self.criterion.upper()} above the best", left=1)
        for one in self.best:
            above = one.criterion(self.criterion) - self.best[0].criterion(self.criterion)
            shown.add_row(one.covariance_type, str(one.n_components), f"{above:,.1f}")
        return shown


@contextmanager
def model_progress(*, quiet: bool, criterion: str = "bic", stages: bool = False) -> Iterator[dict[str, Any]]:
    """Give what a search calls after each fold and model; a bar and the best models so far vanish at the end.

    With stages, also what a table that is worked on in parts calls when it begins another part of the work.

    Nothing where nobody looks.
    """
    console = error_console()
    if quiet or not console.is_terminal:
        yield {}
        return
    from rich.console import Group
    from rich.live import Live

    progress, board = _bar(console), _Board(criterion)
    first, unit = ("Cross-validating", "folds") if criterion == "cv" else ("Fitting", "models")
    task = progress.add_task(first, total=None, unit=unit)
    with Live(progress, console=console, transient=True, refresh_per_second=8) as live:

        def on_candidate(candidate: Candidate, done: int, total: int) -> None:
            said = f"{candidate.covariance_type}, {candidate.n_components} components"
            progress.update(
                task, completed=done, total=total, description=f"Fitted {said:<24}", unit="models"
            )
            board.add(candidate)
            live.update(Group(progress, board.table()))

        def on_fold(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        def on_stage(name: str) -> None:
            progress.update(task, description=name, completed=0, unit="")
            progress.tasks[0].total = None  # how long it takes is not known

        called: dict[str, Any] = {"on_candidate": on_candidate, "on_fold": on_fold}
        yield called | ({"on_stage": on_stage} if stages else {})


@contextmanager
def working(what: str, *, quiet: bool) -> Iterator[None]:
    """Say what is being done while the block runs, on a terminal only."""
    console = error_console()
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


def _bar(console: Console) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        console=console,
    )
