#!/bin/sh
# river 0.26.1: `ADWIN.variance`, documented as "the sample variance within the stored (adaptive) window", is the sum of squared
# deviations from the mean of the window: `width` times its variance. So it grows with every row of a stream that does not change, and
# is not a measure of spread: a chart of it beside `estimation` shows a rise where there is none, and a fall where a drift was found.
# Divide it by `width`. The detector's own decisions are not concerned; `total`, `estimation` and `width` are what they say.
# Seen, of normal rows with variance 9: 288 after 32 rows, 8,322 after 1,000, 44,316 after 5,000; no drift was found in them.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q river==0.26.1 numpy==2.4.6 scipy==1.17.1 narwhals==2.28.0
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
from river.drift import ADWIN

print("river", importlib.metadata.version("river"))
as_seen = "sample variance" in ADWIN.variance.__doc__
for n_rows in (32, 1_000, 5_000):
    detector, rows = ADWIN(delta=1e-9), np.random.default_rng(n_rows).normal(10.0, 3.0, n_rows)
    for row in rows:
        detector.update(float(row))
    whole = detector.width == n_rows and detector.n_detections == 0 and np.isclose(detector.estimation, rows.mean())
    print(f"{n_rows} rows: variance {detector.variance:.1f}, of the rows {rows.var():.2f}, over the width {detector.variance / n_rows:.2f}")
    as_seen &= bool(whole and np.isclose(detector.variance, n_rows * rows.var(), rtol=1e-6))
sys.exit(not as_seen)
PYTHON
