"""The anomalies of a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from mixtura.cli.console import plain_table, print_notes, print_table
from mixtura.cli.option_names import with_options
from mixtura.cli.printing.numbers import decimals_for, percent, readable
from mixtura.segments.anomalies.listed_anomalies import ListedAnomalies

__all__ = ["print_anomalies"]

_SHOWN = 10


def print_anomalies(
    console: Console, source: str, found: ListedAnomalies, *, drop_missing: bool = False
) -> None:
    """Print how many rows are flagged and why, the strangest ones one by one."""
    console.print(Text.assemble((source, "bold"), f": {found.n_rows:,} rows"))
    console.print(_flagged(found))
    console.print(found.excess.sentence)
    if found.flagged.any():
        table = plain_table(found.id_name, "p-value", "stability", "reasons")
        table.columns[3].justify, table.columns[3].no_wrap = "left", False
        decimals = _decimals(found)
        shown = found.order[:_SHOWN]
        details = found.details(shown)
        for place, row in enumerate(shown):
            said = [
                f"{one['column']} {readable(one['value'], decimals[one['column']])} "
                f"(expected {readable(one['expected'], decimals[one['column']])})"
                for one in details.why(place)
            ]
            table.add_row(
                details.customers[place],
                f"{found.p_values[row]:.2g}",
                percent(float(details.stability[place]), 0),
                ", ".join(said),
            )
        print_table(console, table, "stability", "p-value")
        more = int(found.flagged.sum()) - _SHOWN
        if more > 0:
            console.print(f"and {more:,} more, in the file.")
    if found.n_rows > found.scores.size:
        console.print(with_options(found.unscored_note(drop_missing=drop_missing)), soft_wrap=True)
    print_notes(console, found.notes)


def _decimals(found: ListedAnomalies) -> dict[str, int]:
    """Return for each column how many decimals of its values matter beside its standard deviation."""
    named = zip(found.columns, found.deviations, strict=True)
    return {name: decimals_for(one) for name, one in named}


def _flagged(found: ListedAnomalies) -> str:
    n_flagged = int(found.flagged.sum())
    count = f"{n_flagged:,} {'anomaly' if n_flagged == 1 else 'anomalies'}"
    if found.threshold == "percentile":
        return f"{count}: the strangest {percent(found.rate)}"
    return f"{count}, of which about {percent(found.rate, 0)} are false alarms at most ({found.threshold} p-values)"
