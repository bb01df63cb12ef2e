"""Real tables with zeros by the thousand: segments with and without point masses, counts and categories.

``python -m benchmarks.spikes FOLDER`` reads ``cc_general.csv`` and ``wholesale_customers.csv`` from a folder
and leaves out what is not there. For each, and each of ``kinds="continuous"`` and ``"auto"``: the number of
segments, the stability under 20 resamples, and how much the segments are the zeros: the normalized mutual
information of segments with being at zero, the largest and the mean of the columns where 5 % of the rows are at
zero. Of the credit cards 2,500 rows are drawn.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.measure import print_table
from mixtura.segments import Effort, segment_table

__all__ = ["main"]

_LEFT_OUT = {"cc_general": ["CUST_ID"], "wholesale_customers": ["Channel", "Region"]}
_ROWS, _SHARE = 2_500, 0.05


def _row(name: str, table: pl.DataFrame, kinds: str) -> list[str]:
    result = segment_table(table, kinds="auto" if kinds == "auto" else "continuous")
    result = result.with_effort(Effort(resamples=20))
    labels, stability = result.assignment.labels, result.stability
    numbers = {one: table[one].to_numpy() for one in result.columns.used}
    shared = {
        one: float(normalized_mutual_info_score(values == 0, labels))
        for one, values in numbers.items()
        if np.mean(values == 0) >= _SHARE
    }
    most = max(shared, key=lambda one: shared[one], default=None)
    largest = "none has 5 %" if most is None else f"{shared[most]:.2f} ({most})"
    mean = "" if most is None else f"{np.mean(list(shared.values())):.2f}"
    agree = "" if stability is None else f"{stability.overall.adjusted_rand:.2f}"
    least = "" if stability is None else f"{min(one.jaccard for one in stability.segments):.2f}"
    spikes = sum(one.kind == "spike" for one in result.columns.kinds)
    return [
        name, kinds, str(spikes), str(result.model.n_segments), result.best.covariance_type, agree, least,
        largest, mean,
    ]  # fmt: skip


def main(folder: str = ".") -> None:
    header = ["table", "kinds", "spikes", "K", "type", "stability", "least Jaccard", "most the zeros", "mean"]
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, left_out in _LEFT_OUT.items():
            path = Path(folder) / f"{name}.csv"
            if not path.exists():
                print(f"{name} is left out: {path} is not there.")
                continue
            table = pl.read_csv(path, infer_schema_length=None).drop(left_out)
            if len(table) > _ROWS:
                some = np.random.default_rng(0).choice(len(table), _ROWS, replace=False)
                table = table[np.sort(some)]
            rows += [_row(name, table, kinds) for kinds in ("continuous", "auto")]
    print_table("Tables with zeros: segments with and without point masses", header, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
