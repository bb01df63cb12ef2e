#!/bin/sh
# popmon 1.4.12: the traffic light of the Kolmogorov-Smirnov test is red for a moderate drift and green for a large one.
# ks_prob has a p-value for scaled distances up to 6.8116 and NaN above, where it is 0 to 40 digits. The z-score, on which the
# light depends by default, is NaN too, and NaN exceeds no bound. With as many rows in a period as in the reference the distance
# has to be below 0.96 for 100 rows, 0.30 for 1,000 and 0.10 for 10,000: the larger the table the smaller the drift that is passed
# over. The light of the chi-square test stays red. Watch the distance itself, ref_ks.
# Seen, for weeks of 1,000 rows against 6,000: shifts of 0, 0.4 and 0.8 standard deviations have z-scores of -1.0, 9.1 and NaN,
# and the lights green, red and green. By scipy the last p-value is 7e-84.
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
from scipy.special import kolmogorov

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
rng = np.random.default_rng(0)
monday = pd.Timestamp("2025-01-06")


def weeks(first, shifts):
    """A thousand rows for each week, with means by the week."""
    days = [day for k in range(len(shifts)) for day in [monday + pd.Timedelta(weeks=first + k)] * 1_000]
    return pd.DataFrame({"date": days, "x": np.concatenate([rng.normal(shift, 1, 1_000) for shift in shifts])})


print("popmon", importlib.metadata.version("popmon"))
shifts = [0.0, 0.4, 0.8]
axis = {"features": ["date:x"], "time_axis": "date", "time_width": "1w", "time_offset": "2025-1-6"}
reference = weeks(0, [0.0] * 6).pm_make_histograms(**axis)
found = weeks(6, shifts).pm_stability_metrics(reference=reference, reference_type="external", time_axis="date")
compared, lights = found["comparisons"]["x"], found["traffic_lights"]["x"]
distances, scores = compared["ref_ks"].to_numpy(), compared["ref_ks_zscore"].to_numpy()
shown = lights["ref_ks_zscore"].tolist()
for row in zip(shifts, distances, scores, shown, lights["ref_chi2_zscore"], strict=True):
    print("shift {}: distance {:.2f}, z-score {:.1f}, light {} (0 green, 2 red), of chi-square {};".format(*row), end=" ")
    print(f"p-value by scipy {kolmogorov(row[1]):.0e}")
silent = np.isnan(scores[-1]) and shown == [0, 2, 0] and kolmogorov(distances[-1]) < 1e-60
sys.exit(not (silent and np.all(np.diff(distances) > 0) and lights["ref_chi2_zscore"].iloc[-1] == 2))
PYTHON
