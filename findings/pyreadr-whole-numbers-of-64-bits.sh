#!/bin/sh
# pyreadr 0.5.8: whole numbers of 64 bits in R files become numbers next to zero, without a word.
# R has none of its own: bit64's integer64, in which data.table and database drivers give long ids, keeps their bits in a double.
# pyreadr ignores the class, so that the id 1000001 is read as 4.94e-318: ids differ still, but a column of amounts is a column of
# zeros to all that reads it. rdata 1.1.0 does the same with a warning. The bits are there: to_numpy().view("int64").
# Seen: 4.940661e-318 and 4.940666e-318 for 1000001 and 1000002. The file was written by R 4 with bit64.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyreadr==0.5.8 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - "$folder/ids.rds" <<'PYTHON'
import base64
import importlib.metadata
import sys
import warnings
from pathlib import Path

import pyreadr

written = (
    "H4sIAAAAAAAAA4vgYmBgYGZgYWJiYGYFMhlYQ0PcdC2AYsJADhMQ84FoB1UGMHAwYYACZj6oPAMDv5MjlHZiAJoEZDEysDBwggxLzkksLgYyBJAEOTPzSlLTU4vM"
    "QGb9Q9eRl5ibCtPBBBMsLkjNK4FymDJT0PRwFuWX68H08YKUNACJ////Qw1n/I/mAq6UxJJEvbQioBaQEwBAVnC1BAEAAA=="
)
path = Path(sys.argv[1])
path.write_bytes(base64.b64decode(written))
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    frame = pyreadr.read_r(str(path))[None]
print("pyreadr", importlib.metadata.version("pyreadr"))
print(frame, frame.dtypes.to_dict(), "warnings:", len(said))
print("their bits:", frame["id"].to_numpy().view("int64").tolist())
small = bool((frame["id"] < 1e-300).all()) and not said
sys.exit(not (small and frame["id"].to_numpy().view("int64").tolist() == [1000001, 1000002]))
PYTHON
