"""ONNX models in onnxruntime, beside the library."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from mixtura import GaussianMixture
from mixtura.core.mixture import Mixture
from mixtura.datasets import make_customers
from mixtura.exceptions import ParameterError
from mixtura.io.export import OPSET, DiscretePart, scorer_of_mixture, scoring_onnx
from mixtura.segments import Scaling, SegmentModel, assign_table
from mixtura.segments.transforms.transforms import IDENTITY, Log1p, Winsorized, YeoJohnson
from sql_scoring import FAR, model_of, random_mixture

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore:Columns of the table:UserWarning")


def scored(proto: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What onnxruntime makes of rows, of a model that onnx's own checks pass."""
    onnx.checker.check_model(proto, full_check=True)
    session = runtime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, {"rows": rows}), strict=True))


def check(model: SegmentModel, rows: np.ndarray, max_missing: int | None = None) -> None:
    found = scored(model.to_onnx(max_missing=max_missing), rows)
    frame = pl.DataFrame({name: rows[:, i] for i, name in enumerate(model.columns)})
    wanted = assign_table(model, frame.with_columns(pl.all().fill_nan(None)), drop_missing=max_missing == 0)
    assert found["segment"].tolist() == (wanted.labels + 1).tolist()
    assert found["anomaly"].tolist() == wanted.anomaly.tolist()
    np.testing.assert_allclose(found["probabilities"], wanted.memberships, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found["log_density"], wanted.log_density, rtol=1e-10, atol=1e-10)


def transformed() -> tuple[SegmentModel, np.ndarray]:
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng, 3, 5)
    transforms = (IDENTITY, Log1p(), YeoJohnson(0.3), Winsorized(-1.0, 2.5), YeoJohnson(2.0))
    scaling = Scaling(rng.normal(size=5), rng.uniform(0.5, 2, 5), transforms)
    rows = scaling.restore(mixture.sample(200, random_state=2)[0])
    rows[:4, 1] = -1.5, 1e-9, 0.0, -1e-12
    return model_of(mixture, tuple("abcde"), scaling=scaling), rows


def test_every_transform() -> None:
    check(*transformed())


def test_missing_values() -> None:
    model, rows = transformed()
    rng = np.random.default_rng(3)
    rows[rng.uniform(size=rows.shape) < 0.3] = np.nan
    rows[7], rows[8, 0] = np.nan, np.inf
    check(model, rows)
    check(model, rows, max_missing=0)
    few = scored(model.to_onnx(max_missing=1), rows)
    lacking = (~np.isfinite(rows)).sum(axis=1)
    assert ((few["segment"] > 0) == (lacking <= 1)).all()
    assert np.isnan(few["probabilities"][lacking > 1]).all()


def test_far_rows_and_offsets() -> None:
    rng = np.random.default_rng(4)
    mixture = random_mixture(rng, 4, 3)
    center, scale = np.array([1e8 + 0.1234567, -3e8 / 7, 1 / 3]), np.array([0.3, 1.7, 2.2])
    model = model_of(mixture, ("a", "b", "c"), scaling=Scaling(center, scale), anomaly_threshold=FAR)
    scaled = mixture.sample(60, random_state=1)[0]
    scaled[40:] *= np.geomspace(2, 400, 20)[:, None]
    rows = model.scaling.restore(scaled)
    assert model.log_density(rows).min() < FAR
    check(model, rows)


def test_components_without_weight_and_single_ones() -> None:
    means, covariances = [[0.0, 0.0], [3.0, 1.0], [1.0, 1.0]], [1.0, 2.0, 0.5]
    rows = np.array([[0.0, 0.5], [3.0, 1.0], [np.nan, 1.0], [np.nan, np.nan]])
    last = Mixture.from_parameters([0.4, 0.6, 0.0], means, covariances, "spherical")
    check(model_of(last, ("a", "b")), rows)
    first = Mixture.from_parameters([0.0, 0.4, 0.6], means, covariances, "spherical")
    others = Mixture.from_parameters([0.4, 0.6], means[1:], covariances[1:], "spherical")
    found = scored(model_of(first, ("a", "b")).to_onnx(), rows)
    wanted = scored(model_of(others, ("a", "b")).to_onnx(), rows)
    assert found["segment"].tolist() == [3, 2, 3, 0] == [*(wanted["segment"][:3] + 1), 0]
    np.testing.assert_array_equal(
        found["probabilities"][:3], np.insert(wanted["probabilities"][:3], 0, 0, axis=1)
    )
    check(model_of(Mixture.from_parameters([1.0], means[:1], [[1.0, 0.5]], "diag"), ("a", "b")), rows)


def test_rows_out_of_all_bounds_are_in_no_segment() -> None:
    model = model_of(random_mixture(np.random.default_rng(6), 2, 2), ("a", "b"))
    found = scored(model.to_onnx(), np.array([[0.0, 0.5], [1e200, 1.0]]))
    assert found["segment"][1] == 0
    assert np.isnan(found["log_density"]).tolist() == [False, True]
    assert not found["anomaly"][1]


def test_an_estimator_and_no_rows_at_all() -> None:
    rows = make_customers()
    fitted = GaussianMixture(3, random_state=0).fit(rows)
    proto = scoring_onnx(scorer_of_mixture(fitted.mixture_, ["x", "y"]))
    found = scored(proto, rows)
    assert found["segment"].tolist() == fitted.predict(rows).tolist()
    np.testing.assert_allclose(found["log_density"], fitted.score_samples(rows), rtol=1e-12)
    assert scored(proto, rows[:0])["probabilities"].shape == (0, 3)


def test_the_model_says_what_it_is() -> None:
    model, _ = transformed()
    proto = model.to_onnx()
    held = {one.key: json.loads(one.value) for one in proto.metadata_props}
    assert held == {"columns": list(model.columns), "segments": list(model.names)}
    assert [(one.domain, one.version) for one in proto.opset_import] == [("", OPSET)]
    assert (proto.producer_name, [one.name for one in proto.graph.input]) == ("mixtura", ["rows"])
    with pytest.raises(ParameterError, match="`max_missing` must be at least 0"):
        model.to_onnx(max_missing=-1)


def test_without_the_package_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from mixtura.core.mixture import Mixture\n"
        "from mixtura.io.export import scorer_of_mixture, scoring_onnx\n"
        "scoring_onnx(scorer_of_mixture(Mixture.from_parameters([1.0], [[0.0]], [1.0], 'spherical'), ['x']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "mixtura[onnx]"' in done.stderr


def test_discrete_columns_are_refused() -> None:
    part = DiscretePart("channel", "category", ("a", "b"), np.log([[0.5, 0.2], [0.5, 0.8]]))
    mixture = random_mixture(np.random.default_rng(6), 2, 2)
    scorer = replace(scorer_of_mixture(mixture, "ab"), discrete=(part,))
    with pytest.raises(ParameterError, match="continuous columns alone"):
        scoring_onnx(scorer)
