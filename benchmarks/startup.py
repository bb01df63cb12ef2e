"""How soon does the command line answer? Process start included; best of several."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import best_seconds, print_table

__all__ = ["main"]

_BARE = "import numpy, scipy.linalg, sklearn.base, sklearn.mixture"
_SEGMENTS = (
    "import sys; from mixtura import Segmentation; "
    "Segmentation.fit(sys.argv[1]).save(sys.argv[1] + '.json', overwrite=True)"
)
_OURS = f"{_BARE}; import mixtura; mixtura.GaussianMixture"


def run(*arguments: str) -> None:
    # As for a user: Python keeps what it has compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)


def main() -> None:
    from mixtura.datasets import customer_columns, make_customers

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "customers.csv"
        np.savetxt(table, make_customers(), delimiter=",", header=",".join(customer_columns()), comments="")
        segment = ("-m", "mixtura", "segment", str(table), "--overwrite")
        calls = {
            "python -c pass": lambda: run("-c", "pass"),
            "mixtura --help": lambda: run("-m", "mixtura", "--help"),
            "mixtura segment, 300 rows": lambda: run(*segment),
            "its segments and their model, no report": lambda: run("-c", _SEGMENTS, str(table)),
            "import numpy, scipy, scikit-learn": lambda: run("-c", _BARE),
            "the same, and mixtura.GaussianMixture": lambda: run("-c", _OURS),
        }
        seconds = best_seconds(list(calls.values()), at_least=3, budget=10.0)
    rows = [[name, f"{value:.2f}"] for name, value in zip(calls, seconds, strict=True)]
    print_table("Seconds until done, process start included", ("command", "s"), rows)


if __name__ == "__main__":
    main()
