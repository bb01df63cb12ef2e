#!/bin/sh
# pyreadstat 1.3.7: that an SPSS file weights its cases is not among what is read.
# The header of a .sav file names the weight variable by its place (a whole number at byte 76), and SPSS and PSPP count cases
# by it from the moment the file is opened. pyreadstat returns the same frame and the same metadata for a file with a weight
# and for one without, so that every share and mean of a weighted survey comes out unweighted, with no hint. Its writers
# cannot name a weight either. Read the header, or ask who made the file.
# Seen: the two files differ in four bytes, and neither frame nor metadata does.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pyreadstat==1.3.7 pandas==3.1.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import struct
import sys
from pathlib import Path

import pandas as pd
import pyreadstat

plain, weighted = Path(sys.argv[1], "plain.sav"), Path(sys.argv[1], "weighted.sav")
pyreadstat.write_sav(pd.DataFrame({"answer": [1.0, 2.0, 2.0], "w": [0.5, 1.5, 3.0]}), plain)
content = bytearray(plain.read_bytes())
(before,) = struct.unpack_from("<i", content, 76)
struct.pack_into("<i", content, 76, 2)  # the second variable
weighted.write_bytes(content)


def about(path: Path) -> tuple[pd.DataFrame, dict[str, object]]:
    frame, metadata = pyreadstat.read_sav(path)
    return frame, {name: value for name, value in vars(metadata).items() if "time" not in name}


(one, first), (other, second) = about(plain), about(weighted)
print("pyreadstat", pyreadstat.__version__)
print("weight variable in the headers:", before, "and", 2)
print("frames equal:", one.equals(other), " metadata equal:", first == second)
named = [name for name in second if "weight" in name.lower()]
print("attributes with a weight in their name:", named)
sys.exit(not (before == 0 and one.equals(other) and first == second and not named))
PYTHON
