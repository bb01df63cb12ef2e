"""What is done, how much of it, and how long it still takes: on a terminal, or as lines where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

from mixtura.cli.console import error_console
from mixtura.cli.time_to_go import TimeToGo

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mixtura.select import Candidate

__all__ = ["Stages", "model_callbacks", "model_progress", "stages", "working"]

_SHOWN = 5
"""Number of best models so far that are shown."""

_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


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


class Stages:
    """The stages of some work, one after the other, with how much of each is done.

    Nothing is shown by this one; see `stages`.
    """

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Enter a stage, which lasts as long as the block."""
        self.begin(name)
        return nullcontext()

    def begin(self, name: str) -> None:
        """Begin a stage."""

    def amount(self, unit: str) -> Callable[[int, int | None], None]:
        """Return what is called with how much of the present stage is done, and of how much."""
        return lambda done, total: self.show(done, total, unit)

    def show(self, done: int, total: int | None, unit: str) -> None:
        """Show how much is done."""

    def show_best(self, candidate: Candidate, board: _Board) -> None:
        """Show a model that was fitted among the best so far."""


def _counted(count: int, unit: str) -> str:
    """Return the word for a count: "1 pass", "2 passes"."""
    return {"passes": "pass", "rows": "row", "resamples": "resample"}.get(unit, unit) if count == 1 else unit


class _Lines(Stages):
    """A line now and then, where nobody looks but somebody may read later."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._name, self._now, self._watch = "", now, TimeToGo(now)
        self._begun = self._last = now()

    def begin(self, name: str) -> None:
        if name != self._name:
            self._name, self._watch = name, TimeToGo(self._now)
            self._say(name)

    def show(self, done: int, total: int | None, unit: str) -> None:
        to_go = self._watch.at(done, total)
        if self._now() - self._last < _EVERY:
            return
        of = f"{done:,} of {total:,} {unit}" if total else f"{done:,} {_counted(done, unit)}"
        self._say(f"{self._name}: {of}{f', {to_go}' if to_go else ''}")

    def _say(self, text: str) -> None:
        self._last = self._now()
        minutes, seconds = divmod(int(self._last - self._begun), 60)
        typer.echo(f"{minutes:3d}:{seconds:02d}  {text}", err=True)


class _Bar(Stages):
    """A bar on a terminal, which vanishes at the end."""

    def __init__(self, console: Console, live: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._live, self._watch = live, TimeToGo()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[to_go]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=None, amount="", to_go="")
        live.update(self._bar)

    def begin(self, name: str) -> None:
        self._bar.reset(self._task, description=name, total=None, amount="", to_go="")
        self._watch = TimeToGo()
        self._live.update(self._bar, refresh=True)

    def show(self, done: int, total: int | None, unit: str) -> None:
        of = f"{done:,}/{total:,} {unit}" if total else f"{done:,} {_counted(done, unit)}"
        to_go = self._watch.at(done, total)
        self._bar.update(self._task, completed=done, total=total, amount=of, to_go=to_go)

    def show_best(self, candidate: Candidate, board: _Board) -> None:
        from rich.console import Group

        said = f"{candidate.covariance_type}, {candidate.n_components} components"
        self._bar.update(self._task, description=f"Fitted {said:<24}")
        self._live.update(Group(self._bar, board.table()), refresh=True)


@contextmanager
def stages(*, quiet: bool, lines: bool = False) -> Iterator[Stages]:
    """Give what shows the stages of some work: a bar on a terminal, lines where they are asked for, else nothing."""
    console = error_console()
    if quiet or not (console.is_terminal or lines):
        yield Stages()
    elif not console.is_terminal:
        yield _Lines()
    else:
        from rich.live import Live

        with Live(console=console, transient=True, refresh_per_second=8) as live:
            yield _Bar(console, live)


def model_callbacks(
    shown: Stages, criterion: str, *, parts: bool = False, rows: bool = False
) -> dict[str, Any]:
    """Return what a search calls after each fold and model, under the names of its parameters.

    With parts, also what a table that is worked on in parts calls; with rows, if they are read here. Nothing where
    nobody looks.
    """
    if type(shown) is Stages:
        return {}
    board, last = _Board(criterion), ["Cross-validating" if criterion == "cv" else "Fitting models"]
    if not parts:
        shown.begin(last[0])

    def on_candidate(candidate: Candidate, done: int, total: int) -> None:
        if last[0] != "Fitting models":
            last[0] = "Fitting models"
            shown.begin(last[0])
        board.add(candidate)
        shown.show(done, total, "models")
        shown.show_best(candidate, board)
        if done == total:
            last[0] = "Comparing the best models"
            shown.begin(last[0])

    def on_stage(name: str) -> None:
        last[0] = name
        shown.begin(name)

    called: dict[str, Any] = {"on_candidate": on_candidate, "on_fold": shown.amount("folds")}
    if parts:
        called |= {"on_stage": on_stage, "on_pass": shown.amount("passes")}
    return called | ({"on_rows": shown.amount("rows")} if rows else {})


@contextmanager
def model_progress(*, quiet: bool, criterion: str = "bic", lines: bool = False) -> Iterator[dict[str, Any]]:
    """Give what a search calls after each fold and model, see `model_callbacks`."""
    with stages(quiet=quiet, lines=lines) as shown:
        yield model_callbacks(shown, criterion)


@contextmanager
def working(what: str, *, quiet: bool) -> Iterator[None]:
    """Say what is being done while the block runs, on a terminal only."""
    console = error_console()
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(what):
        yield
