"""How long is a whole search beside tgmm's? 14 families with 1 to 9 components on 9,000 x 4 rows, one core each.

tgmm is a library on PyTorch, whose ``select_model`` has the 14 families of mclust and one start per model. It need not
be installed beside mixtura: ``python -m benchmarks.tgmm_search PYTHON`` names the Python of an environment that has it.
Both search in a Python of their own that is held to one core, with the defaults of the library, and take turns; times
are those of the processor without imports, the better of two. Our best BIC is asserted to be no worse first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import print_table
from benchmarks.selection import make_overlapping

__all__ = ["main"]

ROUNDS = 2

TGMM = """
import json, sys, time
import numpy as np, torch
from tgmm import select_model
torch.set_num_threads(1)
rows = torch.tensor(np.load(sys.argv[1]))
select_model(rows[:200], [1, 2], random_state=0)
begun = time.process_time()
found = select_model(rows, range(1, 10), random_state=0).table
seconds = time.process_time() - begun
models = [[one["covariance_type"], one["n_components"], one["bic"]] for one in found]
print(json.dumps({"seconds": seconds, "models": models}))
"""

OURS = """
import json, sys, time
import numpy as np
from benchmarks.selection import load_libraries, mclust_name
from mixtura.select import search
rows = np.load(sys.argv[1])
load_libraries()
begun = time.process_time()
found = search(rows, covariance_types="all").candidates
seconds = time.process_time() - begun
models = [[mclust_name(one.covariance_type), one.n_components, one.bic] for one in found]
print(json.dumps({"seconds": seconds, "models": models}))
"""


def has_tgmm(python: str) -> bool:
    return subprocess.run([python, "-c", "import tgmm"], capture_output=True, check=False).returncode == 0


def searched(python: str, script: str, table: Path) -> dict[str, Any]:
    """Return the processor's seconds of a search, and its models: family, number of components, BIC (None: failed)."""
    environment = os.environ | ({"PYTHONPATH": ""} if script is TGMM else {})
    call = [python, "-c", script, str(table)]
    out = subprocess.run(call, check=True, capture_output=True, text=True, env=environment).stdout
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def best_of(runs: list[dict[str, Any]]) -> tuple[float, dict[tuple[str, int], float]]:
    models = {(family, k): bic for family, k, bic in runs[0]["models"] if bic is not None}
    return min(run["seconds"] for run in runs), models


def main(python: str = sys.executable) -> None:
    if not has_tgmm(python):
        print(f"\nBeside tgmm: skipped, {python} does not have it; name a Python that does.")
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # and of the processes that are started
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.npy"
        np.save(table, make_overlapping(9_000, 4))
        pairs = [
            (searched(python, TGMM, table), searched(sys.executable, OURS, table)) for _ in range(ROUNDS)
        ]
    theirs_seconds, theirs = best_of([pair[0] for pair in pairs])
    seconds, ours = best_of([pair[1] for pair in pairs])
    assert min(ours.values()) <= min(theirs.values()) + 0.02, (min(ours.values()), min(theirs.values()))
    gains = np.array([0.5 * (theirs[cell] - ours[cell]) for cell in theirs])
    header = (
        "tgmm s",
        "mixtura s",
        "ratio",
        "log-likelihood at least tgmm's",
        "median gain, nats",
        "smallest",
    )
    cells = [
        f"{theirs_seconds:.1f}",
        f"{seconds:.2f}",
        f"{theirs_seconds / seconds:.1f}",
        f"{int((gains >= -0.01).sum())} of {gains.size}",
        f"{np.median(gains):.2f}",
        f"{gains.min():.2f}",
    ]
    print_table("All 14 families with 1 to 9 components on 9,000 x 4 rows, beside tgmm", header, [cells])


if __name__ == "__main__":
    main(*sys.argv[1:])
