"""The conjugate prior against mclust, the R package (version 6.0.0), with the hyperparameters of its `defaultPrior()`.

From a given partition, finished fits agree in log-likelihood and parameters where mclust maximizes the posterior of
Fraley and Raftery (2007, Table 2): VII, VVI, EEE, VVV, and E and V in one column. Elsewhere mclust does not:

- its EII leaves the scale of the prior out of the scatter: with a scale of zero ours has its numbers;
- in EEI, EVI and EEV its M-step (`mstep`) and its EM (`me`) divide by different numbers, of which those of `mstep` in
  EEI are the paper's;
- of EVI, VEI, EEV and VEV the paper gives no formula; mclust adds the scale to every component's scatter, but counts
  the prior once for all (EVI, EEV), as (nu + 3) / D rows (VEI) and not at all (VEV), so that these are not the modes of
  one prior. It has none for VEE, EVE, VVE and EVV. Ours is the mode of one prior in all of them.

The table was made by the script beside it in ``mclust/``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixtura.core.covariance import get_family
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Conjugate
from mixtura.engine import as_data
from mixtura.fit import AbsoluteChange, FromPartition, Problem, Settings, fit_mixture
from reference.tables import answers, labels_of, rows_of

CASES = answers("prior")


def name_of(case: dict[str, str]) -> str:
    return f"{case['table']}-{case['family']}"


def test_the_table_holds_what_it_should() -> None:
    assert {case["family"] for case in CASES} == {"EII", "VII", "VVI", "EEE", "VVV", "E", "V"}
    assert len(CASES) == 28


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_finished_fit_is_mclusts(shared_data: Path, case: dict[str, str]) -> None:
    rows, labels = rows_of(shared_data, case["table"]), labels_of(shared_data, case["table"])
    if len(case["family"]) == 1:
        rows = np.ascontiguousarray(rows[:, 1:2])
    data = as_data(rows)
    n_components = int(case["components"])
    prior = Conjugate.of(data.total, n_components)
    if case["family"] == "EII":
        prior = replace(prior, scale=np.zeros_like(prior.scale))
    problem = Problem(data, GaussianModel(n_components, get_family(case["family"]), prior))
    mixture = fit_mixture(
        problem,
        FromPartition(labels),
        Settings(AbsoluteChange(0.0), 3000 if rows.shape[1] == 1 else 600),
        random_state=np.random.RandomState(0),
    ).mixture
    assert mixture.log_likelihood(rows) == pytest.approx(float(case["last"]), rel=1e-9)
    sigma = np.array(case["sigma"].split(), dtype=float).reshape(rows.shape[1], -1)
    np.testing.assert_allclose(mixture.full_covariances()[0], sigma, rtol=1e-7, atol=1e-7 * sigma.max())
    np.testing.assert_allclose(mixture.means[0], np.array(case["mean"].split(), dtype=float), rtol=1e-6)
