#!/bin/sh
# dictances 1.5.3: the Bhattacharyya distance of distributions that have nothing in common is 0, as that of equal ones.
# It is -log of the sum of sqrt(p q), which is infinite where no category is shared, and infinity is replaced by 0. The less two
# distributions share the farther apart they are, until they share nothing and coincide: a search for the nearest
# segment, a threshold for drift or a clustering by such distances takes the most foreign for identical. The package's
# bhattacharyya_coefficient of the same two is 0, its total variation 2, its Jensen-Shannon divergence log(2).
# Seen: 0.0 for equal shares, 0.693, 6.9 and 13.8 for overlaps of 1/2, 1e-3 and 1e-6, and 0 for none.
# Exits 0 as long as this is so, 1 when it changes. Needs the network; not part of the checks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q dictances==1.5.3 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import math
import sys

from dictances import bhattacharyya, bhattacharyya_coefficient, jensen_shannon, total_variation

print("dictances", importlib.metadata.version("dictances"))
distances = {}
for overlap in (1.0, 0.5, 1e-3, 1e-6, 0.0):
    # The two share one category, with this probability; the rest of each is in a category of its own.
    one, other = ({name: 1 - overlap, "shared": overlap} for name in ("first", "second"))
    one, other = ({name: share for name, share in shares.items() if share > 0} for shares in (one, other))
    distances[overlap] = bhattacharyya(one, other)
    expected = -math.log(overlap) if overlap else math.inf
    print(f"overlap {overlap}: {distances[overlap]}, by the definition {expected};", end=" ")
    print("coefficient", bhattacharyya_coefficient(one, other), "Jensen-Shannon", jensen_shannon(one, other), end=" ")
    print("total variation", total_variation(one, other))
right = all(abs(distances[overlap] + math.log(overlap)) < 1e-9 for overlap in distances if overlap)
sys.exit(not (right and distances[0.0] == 0 and bhattacharyya_coefficient({"a": 1.0}, {"b": 1.0}) == 0))
PYTHON
