#!/bin/sh
# pyreadstat 1.3.7: dates of Stata by month, quarter, week and half-year stay numbers, counted from 1960 in their own unit.
# Daily dates (%td) and times (%tc) become dates. A month, 708 in the file and 2019m1 in Stata, is 708.0 in the frame, which
# read as days since 1960 is in 1961. pandas reads the same file as 2019-01-01. The format stands in the metadata
# (original_variable_types), so that a reader can do it: check it before such a column is used as a number or as a date.
# Seen: pyreadstat [708.0, 236.0, 3068.0, 118.0], pandas 2019-01-01 in each of the four.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyreadstat==1.3.7 pandas==3.1.1
"$folder/venv/bin/python" - "$folder/periods.dta" <<'PYTHON'
import sys

import pandas as pd
import pyreadstat

path, formats = sys.argv[1], {"month": "%tm", "quarter": "%tq", "week": "%tw", "half": "%th", "day": "%td"}
written = pd.DataFrame({"month": [708.0], "quarter": [236.0], "week": [3068.0], "half": [118.0], "day": [21550.0]})
pyreadstat.write_dta(written, path, variable_format=formats)
found, about = pyreadstat.read_dta(path)
dates = pd.read_stata(path)
print("pyreadstat", pyreadstat.__version__, found.iloc[0].tolist(), about.original_variable_types)
print("pandas    ", pd.__version__, [str(value)[:10] for value in dates.iloc[0]])
numbers = found[["month", "quarter", "week", "half"]].iloc[0].tolist()
seen = numbers == [708.0, 236.0, 3068.0, 118.0] and str(found["day"].iloc[0])[:10] == "2019-01-01"
seen = seen and {str(value)[:10] for value in dates.iloc[0]} == {"2019-01-01"}
sys.exit(not seen)
PYTHON
