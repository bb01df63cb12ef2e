"""The anomalies of a table on the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_table
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.cli.printing.print_model import print_notes
from mixtura.segments.anomalies import TableAnomalies

__all__ = ["print_anomalies"]

_SHOWN = 10


def print_anomalies(console: Console, source: str, found: TableAnomalies) -> None:
    """Print how many rows are flagged and why, the strangest ones one by one."""
    console.print(Text.assemble((source, "bold"), f": {found.complete.size:,} rows"))
    console.print(_flagged(found))
    console.print(found.excess.sentence)
    if found.flagged.any():
        table = plain_table(found.id_name, "p-value", "stability", "reasons")
        table.columns[3].justify, table.columns[3].no_wrap = "left", False
        decimals = _decimals(found)
        for row in found.order[:_SHOWN]:
            said = [
                f"{one['column']} {readable(one['value'], decimals[one['column']])} "
                f"(expected {readable(one['expected'], decimals[one['column']])})"
                for one in found.why(row)
            ]
            table.add_row(
                found.customer(row),
                f"{found.p_values[row]:.2g}",
                percent(float(found.stability[row]), 0),
                ", ".join(said),
            )
        print_table(console, table, "stability", "p-value")
    unscored = found.complete.size - found.scores.size
    if unscored:
        console.print(f"{unscored:,} not scored: values are missing")
    print_notes(console, found.notes)


def _decimals(found: TableAnomalies) -> dict[str, int]:
    """Return for each column how many decimals of its values matter beside its standard deviation."""
    known = [column[np.isfinite(column)] for column in found.rows.T]
    with np.errstate(over="ignore"):  # the square of a value may overflow
        deviations = [float(column.std()) if column.size else None for column in known]
    return {name: decimals_for(one) for name, one in zip(found.columns, deviations, strict=True)}


def _flagged(found: TableAnomalies) -> str:
    count = f"{int(found.flagged.sum()):,} anomalies"
    if found.threshold == "percentile":
        return f"{count}: the strangest {percent(found.rate)}"
    return f"{count}, of which about {percent(found.rate, 0)} are false alarms at most ({found.threshold} p-values)"
