"""Models of mclust, mixtools, Spark ML and scikit-learn: densities as the programs themselves have them.

The folder `foreign` holds the models, the scripts that made them and the answers.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from mixtura.datasets import make_customers
from mixtura.exceptions import ModelFileError, ParameterError
from mixtura.io.foreign import model_of_sklearn, read_foreign_model

FOREIGN = Path(__file__).parent / "foreign"


def densities() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows and their log densities as R has them, by the name of the model."""
    found = defaultdict(list)
    with (FOREIGN / "densities.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            values = [line[name] for name in ("eruptions", "waiting", "log_density") if line[name] != "NA"]
            found[line["model"]].append([float(value) for value in values])
    return {name: (np.array(rows)[:, :-1], np.array(rows)[:, -1]) for name, rows in found.items()}


R_MODELS = densities()


@pytest.mark.parametrize("name", R_MODELS)
def test_densities_are_those_of_r(name: str) -> None:
    pytest.importorskip("rdata")
    found = read_foreign_model(FOREIGN / f"{name}.rds")
    rows, wanted = R_MODELS[name]
    assert rows.shape[1] == found.mixture.n_features
    np.testing.assert_allclose(found.mixture.log_density(rows), wanted, rtol=0, atol=1e-9)
    assert found.columns == (("eruptions", "waiting") if rows.shape[1] == 2 else None)
    assert (found.program, found.n_rows) == (name.partition("_")[0], 272)


@pytest.mark.parametrize("name", [name for name in R_MODELS if name.startswith("mclust_")])
def test_families_and_noise_of_mclust_are_kept(name: str) -> None:
    pytest.importorskip("rdata")
    mixture = read_foreign_model(FOREIGN / f"{name}.rds").mixture
    names = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical", "E": "tied", "V": "full"}
    family = name.rpartition("_")[2]
    assert mixture.covariance_type == names.get(family, family if family.isupper() else "full")
    assert (mixture.background is not None) == (name == "mclust_noise")
    noise = 0.0 if mixture.background is None else mixture.background.weight
    assert mixture.weights.sum() + noise == pytest.approx(1)


def test_the_log_likelihood_is_near_that_of_mclust() -> None:
    """It belongs to the parameters one iteration earlier, so that only two digits are asked for."""
    rdata = pytest.importorskip("rdata")
    with pytest.warns(UserWarning, match="Missing constructor"):
        held = rdata.read_rds(FOREIGN / "mclust_VVV.rds")
    found = read_foreign_model(FOREIGN / "mclust_VVV.rds")
    total = found.mixture.log_density(np.asarray(held["data"])).sum()
    assert total == pytest.approx(found.log_likelihood, abs=0.01)


def test_spark_agrees_where_its_constant_does_not_count() -> None:
    pytest.importorskip("pyarrow")
    found = read_foreign_model(FOREIGN / "spark_model")
    answers = json.loads((FOREIGN / "spark_model.json").read_text(encoding="utf-8"))
    memberships = found.mixture.responsibilities(np.array(answers["rows"]))
    np.testing.assert_allclose(memberships, answers["probabilities"], rtol=0, atol=1e-9)
    assert (found.columns, found.program) == (None, "Spark ML")


@pytest.mark.parametrize("family", ["full", "tied", "diag", "spherical"])
def test_scikit_learn_agrees(family: str, tmp_path: Path) -> None:
    frame = make_customers(as_frame="pandas")[["income", "spending"]]
    fitted = GaussianMixture(3, covariance_type=family, random_state=0).fit(frame)
    found = model_of_sklearn(fitted)
    rows = frame.to_numpy()
    np.testing.assert_allclose(
        found.mixture.log_density(rows), fitted.score_samples(frame), rtol=0, atol=1e-9
    )
    assert found.columns == ("income", "spending")
    assert found.mixture.covariance_type == family
    skops = pytest.importorskip("skops.io")
    skops.dump(fitted, tmp_path / "model.skops")
    read = read_foreign_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(read.mixture.covariances, fitted.covariances_)
    assert read.columns == found.columns


def test_other_estimators_are_refused(tmp_path: Path) -> None:
    rows = make_customers()
    bayesian = BayesianGaussianMixture(n_components=2, random_state=0, max_iter=1000).fit(rows)
    for other in (bayesian, GaussianMixture(2), "model"):
        with pytest.raises(ParameterError, match="`estimator` must be a fitted GaussianMixture"):
            model_of_sklearn(other)
    skops = pytest.importorskip("skops.io")
    skops.dump(bayesian, tmp_path / "other.skops")
    with pytest.raises(ModelFileError, match="not a fitted GaussianMixture"):
        read_foreign_model(tmp_path / "other.skops")
    skops.dump({"path": Path, "call": print}, tmp_path / "code.skops")
    with pytest.raises(ModelFileError, match="is not loaded"):
        read_foreign_model(tmp_path / "code.skops")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9999])
@pytest.mark.parametrize("kind", ["rds", "skops"])
def test_a_truncated_file_is_a_clear_error(kind: str, share: float, tmp_path: Path) -> None:
    pytest.importorskip("rdata" if kind == "rds" else "skops")
    whole = FOREIGN / "mclust_VVV.rds"
    if kind == "skops":
        import skops.io

        whole = tmp_path / "whole.skops"
        skops.io.dump(GaussianMixture(2, random_state=0).fit(make_customers()), whole)
    content = whole.read_bytes()
    path = tmp_path / f"model.{kind}"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"truncated|not a fitted"):
        read_foreign_model(path)


def test_what_holds_no_mixture_is_a_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("rdata")
    (tmp_path / "model.pkl").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path, said in [
        (FOREIGN / "linear_model.rds", "holds no mixture"),
        (tmp_path / "none.rds", "There is no file"),
        (tmp_path / "none.skops", "There is no file"),
        (tmp_path / "model.pkl", "Loading a pickle runs code"),
        (tmp_path / "model.onnx", "not a model that can be read"),
        (tmp_path / "folder", "metadata cannot be read"),
    ]:
        with pytest.raises(ModelFileError, match=said):
            read_foreign_model(path)


def test_a_folder_of_spark_that_lacks_its_data_is_a_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    shutil.copytree(FOREIGN / "spark_model" / "metadata", tmp_path / "model" / "metadata")
    with pytest.raises(ModelFileError, match="not a whole model of Spark"):
        read_foreign_model(tmp_path / "model")
    part = next((tmp_path / "model" / "metadata").glob("part-*"))
    part.write_text('{"class": "org.apache.spark.ml.clustering.KMeansModel"}', encoding="utf-8")
    with pytest.raises(ModelFileError, match="KMeansModel"):
        read_foreign_model(tmp_path / "model")
