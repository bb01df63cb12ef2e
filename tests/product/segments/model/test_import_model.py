"""Models of other programs as segment models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.mixture import GaussianMixture

from mixtura.datasets import make_customers
from mixtura.exceptions import ParameterError
from mixtura.segments import IMPORTED, SegmentModel, assign_table, import_model

FOREIGN = Path(__file__).resolve().parents[3] / "reference" / "foreign"


@pytest.fixture
def fitted() -> GaussianMixture:
    return GaussianMixture(3, random_state=0).fit(make_customers())


def test_an_imported_model_assigns_as_its_program_does(fitted, tmp_path: Path) -> None:
    rows = make_customers()
    model = import_model(fitted, columns=["income", "spending"])
    model.save(tmp_path / "model.json")
    found = assign_table(
        SegmentModel.load(tmp_path / "model.json"), pl.DataFrame(rows, schema=["income", "spending"])
    )
    order = np.argsort(-fitted.weights_, kind="stable")
    np.testing.assert_allclose(found.memberships, fitted.predict_proba(rows)[:, order], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.log_density, fitted.score_samples(rows), rtol=0, atol=1e-9)
    assert order[found.labels].tolist() == fitted.predict(rows).tolist()
    assert not found.anomaly.any()


def test_segments_are_ordered_by_weight_and_named(fitted) -> None:
    model = import_model(fitted, columns=["income", "spending"])
    assert (np.diff(model.mixture.weights) <= 0).all()
    assert sorted(model.names) == ["average", "high income, low spending", "low income, high spending"]
    assert (model.training.outcome, model.training.source) == (IMPORTED, "GaussianMixture of scikit-learn")


def test_what_a_program_keeps_of_the_fit_is_kept() -> None:
    pytest.importorskip("rdata")
    model = import_model(FOREIGN / "mclust_VVV.rds")
    assert model.columns == ("eruptions", "waiting")
    training = model.training
    assert (training.rows, training.source) == (272, "mclust_VVV.rds of mclust")
    # mclust's own BIC, with the sign that it is smaller the better.
    assert training.bic == pytest.approx(-2 * training.log_likelihood + 17 * np.log(272))


def test_columns_that_do_not_fit_are_refused(fitted) -> None:
    for columns, said in [
        (None, "scikit-learn keeps no names of its 2 columns"),
        (["a"], "must be 2 different names"),
        (["a", "a"], "must be 2 different names"),
    ]:
        with pytest.raises(ParameterError, match=said):
            import_model(fitted, columns=columns)


def test_noise_is_refused() -> None:
    pytest.importorskip("rdata")
    with pytest.raises(ParameterError, match="`source` must be a mixture without noise"):
        import_model(FOREIGN / "mclust_noise.rds")
