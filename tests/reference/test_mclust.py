"""Maximum likelihood against mclust, the R package (Scrucca, Fop, Murphy and Raftery 2016).

Log-likelihoods were measured with mclust 6.0.0, iterated to the end. At its default tolerance it stops a little
earlier, at -1126.326 for Old Faithful (so its vignette), -2303.496 for the diabetes and -2303.023 for the thyroid
data. Its names of the families: EEE is tied, VVV full, VVI diag.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import mixtura
from mixtura.select import bic


@pytest.mark.parametrize(
    ("file", "label", "covariance_type", "df", "log_likelihood"),
    [
        ("old_faithful.csv", None, "tied", 11, -1126.315928),
        ("diabetes_reaven_miller.csv", "class", "full", 29, -2303.491843),
        ("thyroid_gland.csv", "Diagnosis", "diag", 32, -2303.022331),
    ],
)
def test_the_maximum_is_the_one_mclust_finds(
    shared_data: Path,
    file: str,
    label: str | None,
    covariance_type: str,
    df: int,
    log_likelihood: float,
) -> None:
    table = pd.read_csv(shared_data / file)
    X = table.drop(columns=[] if label is None else [label]).to_numpy(dtype=float)
    model = mixtura.GaussianMixture(
        3,
        covariance_type=covariance_type,
        n_init=30,
        reg_covar=0,
        tol=1e-12,
        max_iter=5000,
        random_state=0,
    ).fit(X)
    assert model.converged_
    assert model.lower_bound_ * len(X) == pytest.approx(log_likelihood, abs=2e-6)
    assert model.mixture_.n_parameters == df
    assert model.bic(X) == pytest.approx(bic(log_likelihood, df, len(X)), abs=1e-5)
