"""What an update or a merge has made of a model, on the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes
from mixtura.cli.option_names import notes_with_options, with_options
from mixtura.cli.printing.numbers import percent, readable
from mixtura.segments import ModelUpdate, SegmentModel, SiteStatistics
from mixtura.segments.table.complete import left_out_note

__all__ = ["print_merge", "print_statistics", "print_update"]

_NO_MOVE = 0.005
"""Standard deviations below which a center is said to be where it was."""


def print_update(console: Console, found: ModelUpdate, *, drop_missing: bool = False) -> None:
    """Print what was added, and where the segments are now."""
    training = found.model.training
    console.print(
        Text.assemble(
            (found.source, "bold"),
            f": {found.rows:,} customer{'' if found.rows == 1 else 's'} added to {found.before.training.rows:,}; the "
            "model is now learned from "
            f"{training.rows:,}",
        ),
        soft_wrap=True,
    )
    if found.kept < 1.0:
        share = found.weight_added / max(found.weight_before + found.weight_added, 1e-300)
        console.print(
            f"Earlier customers count {percent(found.kept)} of what they did; the new ones are {percent(share)} of all "
            "that counts.",
            soft_wrap=True,
        )
    _print_segments(console, found.before, found.model)
    was, now = found.log_likelihoods
    console.print(
        f"Log density of a new customer: {readable(now, 4)} on average, {readable(was, 4)} before "
        f"({found.result.outcome.value} after {found.result.n_iter} passes)",
        soft_wrap=True,
    )
    if found.rows_left_out:
        said = left_out_note(found.rows_left_out, "left out", drop_missing=drop_missing)
        console.print(with_options(said), soft_wrap=True)
    print_notes(console, notes_with_options(found.notes))


def print_merge(console: Console, before: SegmentModel, model: SegmentModel, mean: float) -> None:
    """Print what sums of several sites have made of a model; `mean` is what their rows had under the old one."""
    statistics = model.statistics
    assert statistics is not None, "a merge keeps the sums"
    source = model.training.history[-1].source
    console.print(
        Text.assemble((source, "bold"), f": one step on {model.training.rows:,} customers of all sites"),
        soft_wrap=True,
    )
    _print_segments(console, before, model)
    gain = statistics.log_likelihood - mean * statistics.weight
    console.print(
        f"Log density of a customer under the model that was sent out: {mean:.6f} on average; this step gains "
        f"{gain:,.4f} or more in sum. Send the new model out again until it gains next to nothing.",
        soft_wrap=True,
    )


def print_statistics(console: Console, source: str, model: SegmentModel, found: SiteStatistics) -> None:
    """Print what a file of statistics holds."""
    sums = found.statistics.components
    console.print(Text.assemble((source, "bold"), f": sums of {found.rows:,} customers"), soft_wrap=True)
    table = plain_table("", "segment", "share", "customers", left=2)
    for k, name in enumerate(model.names):
        share = float(sums.counts[k] / sums.total_weight)
        table.add_row(str(k + 1), name, percent(share), f"{share * found.rows:,.1f}")
    console.print(table)
    console.print(
        "The file holds counts, sums and sums of products of the columns in each segment, and no row. Merge it with "
        "those of other sites: mixtura merge MODEL FILES",
        soft_wrap=True,
    )


def _print_segments(console: Console, before: SegmentModel, after: SegmentModel) -> None:
    table = plain_table("", "segment", "before", "now", "largest move of its center", left=2)
    for k, name in enumerate(after.names):
        shares = (percent(float(one.mixture.weights[k])) for one in (before, after))
        table.add_row(str(k + 1), name, *shares, _largest_move(before, after, k))
    console.print(table)


def _largest_move(before: SegmentModel, after: SegmentModel, k: int) -> str:
    """Return the column in which a segment moved furthest, in its own standard deviations; nothing without any."""
    if not after.columns:
        return ""
    width = np.sqrt(np.diagonal(before.mixture.full_covariances()[k]))
    moves = (after.mixture.means[k] - before.mixture.means[k]) / width
    largest = int(np.abs(moves).argmax())
    if abs(moves[largest]) < _NO_MOVE:
        return "none"
    return f"{after.columns[largest]} {moves[largest]:+.2f} deviations"
