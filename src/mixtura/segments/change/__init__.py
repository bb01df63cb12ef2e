"""Change over time in tables: a later table or periods, customers who moved, and the model that is asked for."""

from mixtura.segments.change.movers import Movers, movers_between
from mixtura.segments.change.periods import EVERY, Period, periods_of
from mixtura.segments.change.renewal import Renewal, keep_names, renew
from mixtura.segments.change.table_drift import PeriodDrift, TableDrift, drift_of_table, drift_over_time

__all__ = [
    "EVERY",
    "Movers",
    "Period",
    "PeriodDrift",
    "Renewal",
    "TableDrift",
    "drift_of_table",
    "drift_over_time",
    "keep_names",
    "movers_between",
    "periods_of",
    "renew",
]
