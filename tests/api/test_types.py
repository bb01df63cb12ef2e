"""What mypy sees of the estimators: a fit gives the estimator, attributes are arrays, and rows may be any table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).resolve().parents[2]

USED = """
import numpy as np
import polars as pl
from pathlib import Path
from mixtura import DatabaseTable, GaussianMixture, GaussianMixtureIC, GaussianMixtureOutlierDetector, KMeans

rows = np.zeros((3, 1))
reveal_type(GaussianMixture(1).fit(rows))
reveal_type(GaussianMixtureIC().fit(pl.DataFrame({"a": [1.0]})))
reveal_type(KMeans().fit(Path("rows.parquet")))
reveal_type(GaussianMixtureOutlierDetector().fit("rows.parquet"))
reveal_type(GaussianMixture(1).fit(DatabaseTable("crm.duckdb", "customers"), sample_weight="households"))
reveal_type(GaussianMixture(1).fit_predict(rows).dtype)
reveal_type(GaussianMixture(1).means_.dtype)
GaussianMixture(1).fit(rows, weights=rows)
"""
WANTED = [
    "GaussianMixture",
    "GaussianMixtureIC",
    "KMeans",
    "GaussianMixtureOutlierDetector",
    "GaussianMixture",
]


@pytest.mark.slow
def test_a_fit_keeps_its_types(tmp_path: Path) -> None:
    (tmp_path / "used.py").write_text(USED, encoding="utf-8")
    # With the settings and the cache of `make lint`, which has looked at all but this file already.
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, str(tmp_path / "used.py")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r'Revealed type is "([^"]+)"', done.stdout)
    assert [one.rpartition(".")[2] for one in found[:5]] == WANTED, done.stdout
    assert "signedinteger" in found[5]
    assert "float64" in found[6]
    assert 'Unexpected keyword argument "weights"' in done.stdout
    assert done.stdout.count("error:") == 1, done.stdout
