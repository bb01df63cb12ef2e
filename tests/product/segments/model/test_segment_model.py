"""Models that are kept, and read again for ever."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mixtura.core.covariance import FAMILIES
from mixtura.datasets import make_customers
from mixtura.exceptions import ModelFileError, OutputError
from mixtura.io.model_file import _checksum, readable_json
from mixtura.segments import SegmentModel, assign_table, segment_table

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


@cache
def found(family):
    frame = make_customers(kind="five", as_frame="polars")
    return segment_table(frame, components=[3], covariance_types=[family])


@pytest.fixture(params=FAMILIES)
def result(request):
    return found(request.param)


@pytest.mark.parametrize("prior", ["floor", "conjugate", 0.01])
def test_the_prior_is_kept(prior, tmp_path) -> None:
    frame = make_customers(as_frame="polars")
    result = segment_table(frame, components=[2], covariance_types=["diag"], prior=prior)
    result.model.save(tmp_path / "model.json")
    assert SegmentModel.load(tmp_path / "model.json").training.prior == prior


def test_every_float_survives(result, tmp_path) -> None:
    result.model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    for name in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(loaded.mixture, name), getattr(result.model.mixture, name))
    np.testing.assert_array_equal(loaded.scaling.center, result.model.scaling.center)
    np.testing.assert_array_equal(loaded.scaling.scale, result.model.scaling.scale)
    for name in (
        "columns",
        "names",
        "anomaly_percentile",
        "anomaly_threshold",
        "training",
        "mixtura_version",
    ):
        assert getattr(loaded, name) == getattr(result.model, name)
    assert loaded.to_json() == result.model.to_json()


def test_a_loaded_model_says_exactly_the_same(result, tmp_path) -> None:
    result.model.save(tmp_path / "model.json")
    frame = make_customers(kind="five", as_frame="polars")
    again = assign_table(SegmentModel.load(tmp_path / "model.json"), frame)
    np.testing.assert_array_equal(again.memberships, result.assignment.memberships)
    np.testing.assert_array_equal(again.log_density, result.assignment.log_density)
    np.testing.assert_array_equal(again.anomaly, result.assignment.anomaly)


def test_it_is_readable(result) -> None:
    lines = result.model.to_json().splitlines()
    assert max(map(len, lines)) < 250
    assert '  "columns": ["income", "spending", "age"],' in lines


def test_it_is_not_overwritten_unasked(result, tmp_path) -> None:
    result.model.save(tmp_path / "model.json")
    with pytest.raises(OutputError, match="exists already"):
        result.model.save(tmp_path / "model.json")
    result.model.save(tmp_path / "model.json", overwrite=True)


def damaged(text: str, change) -> str:
    """Change a document and give it the right checksum, as somebody who means to."""
    content = json.loads(text)
    change(content)
    del content["checksum"]
    return json.dumps(content | {"checksum": _checksum(content)})


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["mixture"]["weights"].append(0.1),
        lambda m: m["mixture"].update(weights=[0.5, 0.4, 0.3]),
        lambda m: m["mixture"].update(weights=["a", 0.4, 0.3]),
        lambda m: m["mixture"]["means"].pop(),
        lambda m: m["mixture"].update(covariances=[[-1.0, 1.0, 1.0]] * 3, covariance_type="diag"),
        lambda m: m["mixture"].update(covariance_type="round"),
        lambda m: m["scaling"]["scale"].append(1.0),
        lambda m: m["scaling"]["center"].pop(),
        lambda m: m["scaling"]["scale"].__setitem__(0, 0.0),
        lambda m: m.update(columns=["a", "a", "b"]),
        lambda m: m.update(columns=["a", "b"]),
        lambda m: m.update(segments=["a", "a", "b"]),
        lambda m: m["anomaly"].update(percentile=100.0),
        lambda m: m["training"].pop("seed"),
        lambda m: m.update(extra=1),
    ],
)
def test_inconsistent_models_are_refused(result, tmp_path, change) -> None:
    path = tmp_path / "model.json"
    path.write_text(damaged(result.model.to_json(), change))
    with pytest.raises(ModelFileError, match="not a valid model"):
        SegmentModel.load(path)


def test_a_directory_is_no_model(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        SegmentModel.load(tmp_path)


def test_no_anomalies_are_kept_as_none(tmp_path) -> None:
    frame = make_customers(as_frame="polars")
    result = segment_table(frame, components=[2], covariance_types=["tied"], anomaly_percentile=0)
    result.model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    assert loaded.anomaly_threshold is None
    assert assign_table(loaded, frame).n_anomalies == 0


def test_names_with_brackets_and_breaks_survive() -> None:
    content = {"columns": ["score [1-100]", "a\n  ],\n  b", "{x}"], "rows": [[1.0, 2.0], [3.0, 4.0]]}
    assert json.loads(readable_json(content)) == content


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("model-*.json")), ids=lambda path: path.name)
def test_models_of_earlier_versions_are_read_for_ever(path) -> None:
    model = SegmentModel.load(path)
    expected = json.loads((GOLDEN / f"expected-{path.name}").read_text())
    frame = pl.DataFrame(expected["rows"])
    assignment = assign_table(model, frame)
    np.testing.assert_allclose(assignment.memberships, expected["memberships"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(assignment.log_density, expected["log_density"], rtol=1e-9)
    assert [model.names[label] for label in assignment.labels] == expected["segments"]


def test_there_are_golden_models() -> None:
    assert len(list(GOLDEN.glob("model-*.json"))) >= 1
