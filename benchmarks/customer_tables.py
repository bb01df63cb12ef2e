"""Segment real tables as a new user would, and say what the choice of the number of segments is worth.

``python -m benchmarks.customer_tables FOLDER`` reads the tables from a folder (wholesale customers, credit cards,
purchases and others, as CSV files of their usual names); those that are not there are left out. Two of scikit-learn's
are always there. With names after the folder only these tables are segmented.

For each table with numbers alone, with ``transform="auto"`` too, and with the kinds that the rule finds: the
chosen number of segments and
covariance type, whether the number is the largest that was tried, how many models were degenerate, how many of a
smaller criterion were excluded and why, the stability (adjusted Rand index of resamples, Jaccard similarity of the
least stable segment), and the mutual information of the segments with a column that was left out of the fit, beside
that of K-means with as many clusters.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import mutual_info_score

from benchmarks.measure import print_table
from mixtura.segments import Effort, SegmentationResult, segment_table

__all__ = ["TABLES", "CustomerTable", "main"]

_ROWS = 3_000
"""Of longer tables this many rows are drawn."""

_RESAMPLES = 20

_OPTIONS: Mapping[str, dict[str, str]] = {
    "numbers alone": {"kinds": "continuous"},
    "transforms": {"kinds": "continuous", "transform": "auto"},
    "kinds by rule": {},
}


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """Columns that build the segments, and one that does not: what the segments ought to know something about."""

    columns: pl.DataFrame
    outcome: pl.Series | None


def _measured(outcome: str | None, *columns: str) -> Callable[[pl.DataFrame], CustomerTable]:
    """Return what takes the columns named, or all numeric ones but the outcome."""

    def make(frame: pl.DataFrame) -> CustomerTable:
        rest = frame.drop(outcome) if outcome else frame
        rest = rest.select(columns) if columns else rest
        return CustomerTable(rest, frame[outcome] if outcome else None)

    return make


def _credit_cards(frame: pl.DataFrame) -> CustomerTable:
    """Leave out how often the balance is paid in full; the outcome is whether it ever is."""
    return CustomerTable(frame.drop("PRC_FULL_PAYMENT", "CUST_ID"), (frame["PRC_FULL_PAYMENT"] > 0).cast(int))


def _purchases(frame: pl.DataFrame) -> CustomerTable:
    """Recency, frequency and value in the first year; the outcome is whether a customer buys in the half year after."""
    day = pl.col("date").cast(pl.String).str.to_date("%Y%m%d")
    frame = frame.with_columns(day=day, late=pl.col("date") >= 19980101)
    first = frame.filter(~pl.col("late")).group_by("customer_id").agg(
        recency=(pl.date(1998, 1, 1) - pl.col("day").max()).dt.total_days(),
        frequency=pl.len(),
        monetary=pl.col("dollar_value").sum(),
        cds=pl.col("number_of_cds").sum(),
    )  # fmt: skip
    back = frame.filter(pl.col("late"))["customer_id"].unique()
    first = first.sort("customer_id")
    return CustomerTable(first.drop("customer_id"), first["customer_id"].is_in(back.implode()).cast(int))


def _hours(frame: pl.DataFrame) -> CustomerTable:
    """Weather and rentals of an hour; the outcome is whether it is one of a working day."""
    used = ["temp", "hum", "windspeed", "casual", "registered"]
    return CustomerTable(frame.select(used), frame["workingday"])


TABLES: Mapping[str, Callable[[pl.DataFrame], CustomerTable]] = {
    "mall_customers": _measured(None, "Age", "Annual Income (k$)", "Spending Score (1-100)"),
    "wholesale_customers": _measured("Channel", "Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"),
    "cc_general": _credit_cards,
    "cdnow_transactions": _purchases,
    "bike_sharing_hour": _hours,
    "penguins": _measured("species", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"),
    "thyroid_gland": _measured("Diagnosis"),
    "swiss_banknote": _measured("Status"),
    "diabetes_reaven_miller": _measured("class"),
    "old_faithful": _measured(None),
}  # fmt: skip


def _of_sklearn() -> dict[str, CustomerTable]:
    wine, cancer = load_wine(as_frame=True), load_breast_cancer(as_frame=True)
    means = [name for name in cancer.data if name.startswith("mean")]
    return {
        "wine": CustomerTable(pl.from_pandas(wine.data), pl.from_pandas(wine.target)),
        "breast_cancer": CustomerTable(pl.from_pandas(cancer.data[means]), pl.from_pandas(cancer.target)),
    }


def _load(folder: Path, names: list[str]) -> dict[str, CustomerTable]:
    found = {}
    for name, make in TABLES.items():
        path = folder / f"{name}.csv"
        if (not names or name in names) and path.exists():
            table = make(pl.read_csv(path, infer_schema_length=None))
            if len(table.columns) > _ROWS:
                some = np.sort(np.random.default_rng(0).choice(len(table.columns), _ROWS, replace=False))
                outcome = table.outcome
                table = CustomerTable(table.columns[some], None if outcome is None else outcome[some])
            found[name] = table
    return found | {name: one for name, one in _of_sklearn().items() if not names or name in names}


def _information(result: SegmentationResult, outcome: pl.Series | None) -> tuple[str, str]:
    """Return the mutual information, in bits, of segments and of K-means clusters with the outcome."""
    if outcome is None:
        return "", ""
    known = result.assignment.complete
    said = outcome.to_numpy()[known]
    told = (
        mutual_info_score(said, labels) / np.log(2)
        for labels in (result.assignment.labels[known], result.kmeans.labels)
    )
    ours, theirs = told
    return f"{ours:.3f}", f"{theirs:.3f}"


def _excluded(result: SegmentationResult) -> str:
    kinds = Counter(
        one.degeneracies[0].kind.value if one.degeneracies else "a few customers" for one in result.excluded
    )
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    return listed or "none"


def _row(name: str, table: CustomerTable, how: str) -> list[str]:
    begun = perf_counter()
    result = segment_table(table.columns, **_OPTIONS[how]).with_effort(Effort(resamples=_RESAMPLES))
    seconds = perf_counter() - begun
    stability, best = result.stability, result.best
    several = stability is not None and len(stability.segments) > 1
    worst = min(one.jaccard for one in stability.segments) if stability is not None and several else np.nan
    degenerate = sum(one.is_degenerate for one in result.ranking)
    return [
        name, how, f"{len(result.rows):,} x {len(result.columns.used)}", str(result.model.n_segments),
        best.covariance_type,
        "yes" if best.n_components == max(one.n_components for one in result.ranking) else "",
        f"{degenerate} of {len(result.ranking)}", _excluded(result),
        "" if stability is None else f"{stability.overall.adjusted_rand:.2f}", f"{worst:.2f}",
        *_information(result, table.outcome), f"{seconds:.1f}",
    ]  # fmt: skip


def main(folder: str = ".", *names: str) -> None:
    header = [
        "table", "columns", "size", "K", "type", "at the edge", "degenerate", "excluded before it", "ARI",
        "least Jaccard", "bits", "K-means", "s",
    ]  # fmt: skip
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, table in _load(Path(folder), list(names)).items():
            rows += [_row(name, table, how) for how in _OPTIONS]
            print(*rows[-len(_OPTIONS) :], sep="\n", file=sys.stderr, flush=True)
    print_table("Real tables: what is chosen, and what it is worth", header, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
