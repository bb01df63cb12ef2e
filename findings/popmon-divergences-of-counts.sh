#!/bin/sh
# popmon 1.4.12: the population stability index and the Jensen-Shannon divergence are those of counts, not of shares.
# The formulas are given the numbers of rows in the bins. Both then measure foremost how many rows a period has beside the
# reference: two equal distributions are thousands apart, where an index of 0.25 is taken for a serious drift and the divergence
# is at most log(2) = 0.69. A period whose distribution has turned round, with as many rows as the reference, comes out as more
# stable than an unchanged one with fewer rows. Maximum probability difference, which divides by the rows, is right.
# Seen, against 6,000 rows: 1,000 rows of the same distribution have an index of 8,964 and a divergence of 991, where by shares they
# are 0.0015 and 0.0002; 6,000 rows with the shares turned round, whose index by shares is 0.56, have 3,381 and 408.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q popmon==1.4.12 histogrammar==1.1.2 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import logging
import sys
import warnings

import numpy as np
import pandas as pd
import popmon

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
rng = np.random.default_rng(0)
monday, colors = pd.Timestamp("2025-01-06"), ["blue", "green", "red"]


def week(number, n_rows, shares=(0.5, 0.3, 0.2)):
    """Rows of one week."""
    return pd.DataFrame({"date": [monday + pd.Timedelta(weeks=number)] * n_rows, "color": rng.choice(colors, n_rows, p=shares)})


def distances(first, second, *, by_shares):
    """The index sum (p - q) log(p / q) and the divergence by their formulas, of shares or of counts."""
    p, q = (np.array([np.sum(table["color"] == one) for one in colors]) / (len(table) if by_shares else 1) for table in (first, second))
    middle = (p + q) / 2
    return np.sum((p - q) * np.log(p / q)), np.sum(p * np.log(p / middle) + q * np.log(q / middle)) / 2


print("popmon", importlib.metadata.version("popmon"))
axis = {"features": ["date:color"], "time_axis": "date", "time_width": "1w", "time_offset": "2025-1-6"}
past = pd.concat([week(number, 1_000) for number in range(6)])
weeks = [week(6, 1_000), week(7, 500), week(8, 6_000, (0.2, 0.3, 0.5))]
found = pd.concat(weeks).pm_stability_metrics(
    reference=past.pm_make_histograms(**axis), reference_type="external", time_axis="date"
)["comparisons"]["color"]
stated = found[["ref_psi", "ref_jsd"]].to_numpy()
shares, counts = (np.array([distances(one, past, by_shares=by_shares) for one in weeks]) for by_shares in (True, False))
for one, row, due, raw, difference in zip(weeks, stated, shares, counts, found["ref_max_prob_diff"], strict=True):
    print(f"{len(one)} rows: index and divergence {row.round(2)}, by shares {due.round(4)}, by counts {raw.round(2)};", end=" ")
    print(f"maximum difference {difference:.3f}")
assert np.all(shares[:2] < 0.01) and shares[2, 0] > 0.4, "the first two weeks are unchanged, the third is another one"
sys.exit(not (np.allclose(stated, counts, rtol=1e-3) and stated[0, 1] > np.log(2) and stated[2, 0] < stated[0, 0]))
PYTHON
