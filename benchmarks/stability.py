"""How long the stability of segments takes, 50 resamples each, and whether the resamples agree as they should.

Stability is measured by refits from few starts. What they should find is what many starts find, so that the table has
that beside it. Another checkout of mixtura, where ``make install`` has been run, may be given; both take turns:

    python -m benchmarks.stability [/path/to/another/checkout]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import print_table
from benchmarks.selection import make_overlapping

__all__ = ["main"]

TABLES = {
    "2,000 x 6, 5 full": (2_000, 6, 1, "full", 5),
    "2,000 x 6, 7 full": (2_000, 6, 3, "full", 7),
    "1,000 x 3, 4 full": (1_000, 3, 2, "full", 4),
    "2,000 x 6, 5 diag": (2_000, 6, 5, "diag", 5),
}
"""Rows, columns, seed, covariance type and number of components, of five overlapping components in any case."""

RESAMPLES, STARTS, MANY, TURNS = 50, 3, 60, 3

_MEASURE = """
import json, sys, time
import mixtura
import numpy as np
import pandas as pd
from mixtura.segments import assess_stability, segment_table

if __name__ == "__main__":
    path, family, k, n_resamples, n_init = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    rows = pd.DataFrame(np.load(path)).add_prefix("x")
    found = segment_table(rows, components=[k], covariance_types=[family])
    assess_stability(found.model, found.rows, n_bootstraps=2, n_init=n_init)
    begun = time.perf_counter()
    stability = assess_stability(found.model, found.rows, n_bootstraps=n_resamples, n_init=n_init)
    seconds = time.perf_counter() - begun
    print(json.dumps([mixtura.__file__, seconds, stability.overall.adjusted_rand]))
"""


def measured(root: Path, path: Path, family: str, k: int, n_init: int) -> tuple[float, float]:
    """Return seconds by the clock on all cores, and the mean adjusted Rand index of each two resamples."""
    python = root / ".venv" / "bin" / "python"
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as script:
        script.write(_MEASURE)
        script.flush()
        arguments = [str(python), "-P", script.name, str(path), family, str(k), str(RESAMPLES), str(n_init)]
        done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    file, seconds, agreement = json.loads(done.stdout.splitlines()[-1])
    assert Path(file).is_relative_to(root), f"{python} measured {file}"
    return seconds, agreement


def main(other: str | None = None) -> None:
    import numpy as np

    here = Path(__file__).parents[1]
    roots = [here] if other is None else [here, Path(other).resolve()]
    found = []
    with tempfile.TemporaryDirectory(prefix="mixtura-benchmark-") as folder:
        path = Path(folder) / "rows.npy"
        for name, (n_rows, n_features, seed, family, k) in TABLES.items():
            rows = make_overlapping(n_rows, n_features, seed)
            np.save(path, (rows - rows.mean(axis=0)) / rows.std(axis=0))
            runs = [[measured(root, path, family, k, STARTS) for root in roots] for _ in range(TURNS)]
            seconds = [min(run[i][0] for run in runs) for i in range(len(roots))]
            _, many = measured(here, path, family, k, MANY)
            cells = [f"{one:.2f}" for one in seconds] + [f"{agreement:.2f}" for _, agreement in runs[0]]
            ratio = [] if other is None else [f"{seconds[1] / seconds[0]:.1f}"]
            found.append([name, *cells, *ratio, f"{many:.2f}"])
    both = ["this", "other"][: len(roots)]
    header = ["table", *(f"s, {one}" for one in both), *(f"agreement, {one}" for one in both)]
    header += [*(["ratio"] if other else []), f"agreement, {MANY} starts"]
    title = (
        f"assess_stability: {RESAMPLES} resamples for each of three numbers of segments, all cores, seconds by the"
        " clock; mean adjusted Rand index of the partitions into the number looked at"
    )
    print_table(title, header, found)


if __name__ == "__main__":
    main(*sys.argv[1:])
