"""A bar while models are fitted, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mixtura.cli.console import error_console

if TYPE_CHECKING:
    from mixtura.select import Candidate, OnCandidate

__all__ = ["model_progress"]


@contextmanager
def model_progress(*, quiet: bool) -> Iterator[OnCandidate | None]:
    """Give what to call after each model; the bar vanishes at the end. None where nobody looks."""
    console = error_console()
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("models"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Fitting", total=None)

        def on_candidate(candidate: Candidate, done: int, total: int) -> None:
            said = f"{candidate.covariance_type}, {candidate.n_components} components"
            progress.update(task, completed=done, total=total, description=f"Fitted {said:<24}")

        yield on_candidate
