"""Models with merged segments in other forms: what these say is what `assign` says."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from mixtura.io.export import scoring_javascript
from mixtura.segments import SegmentModel, assign_table, segment_table


def made(n_rows: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0.1, np.pi - 0.1, n_rows)
    bow = np.column_stack([8 * np.cos(angle), 8 * np.sin(angle)]) + rng.normal(size=(n_rows, 2)) * 0.8
    rows = np.vstack([bow, rng.normal([0.0, 2.0], size=(n_rows // 2, 2))])
    rows[rng.uniform(size=len(rows)) < 0.1, 0] = np.nan
    channel = np.array(["web", "shop"])[
        (rng.uniform(size=len(rows)) < 0.3 + 0.4 * (rows[:, 1] > 4)).astype(int)
    ]
    return pl.DataFrame({"a": rows[:, 0], "b": rows[:, 1], "channel": channel})


def model_of(frame: pl.DataFrame) -> SegmentModel:
    model = segment_table(frame, components=[5], covariance_types=["full"], merge=2).model
    assert model.n_segments == 2 < model.mixture.n_components
    return model


def compared(found: dict[str, Any], model: SegmentModel, frame: pl.DataFrame) -> None:
    wanted = assign_table(model, frame)
    np.testing.assert_array_equal(found["segment"], wanted.labels + 1)
    np.testing.assert_allclose(found["probability_2"], wanted.memberships[:, 1], atol=1e-9)
    np.testing.assert_allclose(found["log_density"], wanted.log_density, rtol=1e-9)
    if "certainty" in found:
        np.testing.assert_allclose(found["certainty"], wanted.certainty, rtol=1e-9)


@pytest.mark.parametrize("columns", [["a", "b"], ["a", "b", "channel"]])
def test_sql_adds_probabilities(columns: list[str]) -> None:
    frame = made().select(columns).with_columns(pl.col("a").fill_nan(None))
    model = model_of(frame)
    customers = frame.with_row_index("id")
    with duckdb.connect() as connection:
        connection.register("customers", customers.to_arrow())
        found = connection.sql(model.to_sql("duckdb", table="customers", id_column="id")).pl().sort("id")
    compared({name: found[name].to_numpy() for name in found.columns}, model, frame)


def test_onnx_adds_probabilities() -> None:
    runtime = pytest.importorskip("onnxruntime")
    frame = made().select("a", "b")
    model = model_of(frame)
    session = runtime.InferenceSession(model.to_onnx().SerializeToString())
    names = [one.name for one in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"rows": frame.to_numpy()}), strict=True))
    assert found["probabilities"].shape == (len(frame), 2)
    compared(found | {"probability_2": found["probabilities"][:, 1]}, model, frame)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_adds_probabilities() -> None:
    frame = made().select("a", "b").drop_nans()[:50]
    model = model_of(made().select("a", "b"))
    script = scoring_javascript(model.scorer("JavaScript"))
    call = f"console.log(JSON.stringify({json.dumps(frame.to_dicts())}.map(module.exports.assignSegment)))"
    done = subprocess.run(["node", "-e", f"{script}\n{call}"], capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    compared({name: np.array([one[name] for one in answers]) for name in answers[0]}, model, frame)
