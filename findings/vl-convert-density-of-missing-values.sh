#!/bin/sh
# vl-convert 1.9.0 (Vega-Lite 6.4, as Altair draws it): the density transform takes missing values for zeros.
# Every null is a row at 0 to it: it takes its share of the area, and puts a peak at 0 where 0 is in sight. The extent of the curve
# is that of the values, so that for a column far from 0 the shape is right and the area is too small, by the share of missing
# values: of two groups the one with more of them looks smaller. An aggregate in the same chart leaves nulls out. Drop
# them first, with a filter on isValid(datum.x).
# Seen, for 20 values around 11 and 20 nulls with bandwidth 1: density 0.199 at 0 and 0.171 at 11, as of 20 zeros; without the
# nulls 3.7e-24 and 0.341. The mean is 11 in both, and the number of valid values 20.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q vl-convert-python==1.9.0.post1
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import math
import re
import sys

import vl_convert

values = [10.05 + step / 10 for step in range(20)]


def drawn(transform, x, y, rows):
    """The points of a chart by x, read from the descriptions in its SVG."""
    encoding = {"x": {"field": x, "type": "quantitative"}, "y": {"field": y, "type": "quantitative"}}
    chart = {"data": {"values": [{"x": row} for row in rows]}, "transform": [transform], "mark": "point", "encoding": encoding}
    svg = vl_convert.vegalite_to_svg(chart, vl_version="6.4")
    found = re.findall(rf'aria-label="{x}: ([^;"]+); {y}: ([^;"]+)"', svg.replace("\N{MINUS SIGN}", "-"))
    return {round(float(one), 6): float(other) for one, other in found}


def density(at, rows):
    """The mean of the normal densities around the rows."""
    return sum(math.exp(-((at - row) ** 2) / 2) for row in rows) / math.sqrt(2 * math.pi) / len(rows)


print("vl-convert", importlib.metadata.version("vl-convert-python"))
smooth = {"density": "x", "bandwidth": 1, "extent": [0, 22], "steps": 22}
average = {"aggregate": [{"op": "mean", "field": "x", "as": "mean"}, {"op": "valid", "field": "x", "as": "present"}]}
present, missing = (drawn(smooth, "value", "density", rows) for rows in (values, values + [None] * 20))
for at in (0.0, 11.0):
    by_hand = density(at, values), density(at, values + [0.0] * 20)
    print(f"at {at}: {present[at]} without nulls (by hand {by_hand[0]}), {missing[at]} with them (as zeros {by_hand[1]})")
means = [drawn(average, "mean", "present", rows) for rows in (values, values + [None] * 20)]
print("means and numbers of values:", *means)
right = all(abs(present[at] - density(at, values)) < 1e-6 for at in present) and means[0] == means[1] == {11.0: 20.0}
zeros = all(abs(missing[at] - density(at, values + [0.0] * 20)) < 1e-6 for at in missing)
sys.exit(not (right and zeros and len(missing) == len(present) == 23))
PYTHON
