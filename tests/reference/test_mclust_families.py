"""All fourteen families against mclust, the R package (version 6.0.0; Scrucca, Fop, Murphy and Raftery 2016).

From a given partition, one M-step and a fit that is finished must have mclust's log-likelihoods. The tables beside
this file in ``mclust/`` were made by the scripts beside them, with tolerances of 1e-10 and below, also in the M-steps
that take iterations.

VVE is the exception, and ours is the higher there. An M-step maximizes the expected complete log-likelihood, and
mclust's of VVE ends below the maximum: after one step from the same partition by 0.0002 (Old Faithful), 0.06 (bank
notes), 0.2 (penguins), 11.7 (thyroid) and 13.2 (diabetes). A stricter tolerance does not help it: on the thyroid table
it reaches -2320.4 with 1e-2 and -2325.4 with 1e-15, where -2313.7 can be had. EM with such M-steps goes elsewhere and
ends lower, on these tables by 0.07 to 17.1. A failing assertion shows both. EVE, whose axes we find in the same
way, agrees to 1e-8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import mixtura
from mixtura.core.covariance import MCLUST_NAMES, get_family
from reference.tables import CLASSES, COLUMNS, answers, labels_of, rows_of

SAME_START = answers("same_start")
ONE_COLUMN = answers("one_column")


def start(family: str, rows: Any, labels: Any, **how: Any) -> Any:
    model = mixtura.GaussianMixture(
        labels.max() + 1, covariance_type=family, init_params=labels, reg_covar=0, **how
    )
    return model.fit(rows)


def finish(family: str, rows: Any, labels: Any) -> Any:
    return start(family, rows, labels, tol=1e-14, max_iter=20_000)


def complete(mixture: Any, rows: Any, labels: Any) -> float:
    """``sum_n log(w_k N(x_n; mu_k, Sigma_k))``, k the label of row n."""
    parts = zip(mixture.weights, mixture.means, mixture.full_covariances(), strict=True)
    return sum(
        np.log(w) * np.sum(labels == k) + multivariate_normal(m, c).logpdf(rows[labels == k]).sum()
        for k, (w, m, c) in enumerate(parts)
    )


def name_of(case: dict[str, str]) -> str:
    return f"{case['table']}-{case['family']}"


def test_the_tables_hold_every_family() -> None:
    wanted = {(table, family) for table in CLASSES for family in MCLUST_NAMES}
    assert {(case["table"], case["family"]) for case in SAME_START} == wanted
    assert len(ONE_COLUMN) == 2 * len(CLASSES)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("case", SAME_START, ids=name_of)
def test_one_m_step_is_mclusts(shared_data: Path, case: dict[str, str]) -> None:
    table, family = case["table"], case["family"]
    rows, labels = rows_of(shared_data, table), labels_of(shared_data, table)
    mixture = start(family, rows, labels, max_iter=0).mixture_
    assert mixture.n_components == int(case["components"])
    found = complete(mixture, rows, labels)
    if family == "VVE":
        assert found >= float(case["complete"]) - 1e-6
    else:
        assert found == pytest.approx(float(case["complete"]), rel=1e-8)
        assert mixture.log_likelihood(rows) == pytest.approx(float(case["first"]), rel=1e-6)


@pytest.mark.parametrize("case", SAME_START, ids=name_of)
def test_a_finished_fit_is_mclusts(shared_data: Path, case: dict[str, str]) -> None:
    table, family = case["table"], case["family"]
    rows, labels = rows_of(shared_data, table), labels_of(shared_data, table)
    model = finish(family, rows, labels)
    assert model.converged_
    found, theirs = model.mixture_.log_likelihood(rows), float(case["last"])
    if family == "VVE":
        assert found >= theirs + 0.05
    else:
        assert found == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("case", ONE_COLUMN, ids=name_of)
def test_one_column(shared_data: Path, case: dict[str, str]) -> None:
    table, column = case["table"], case["column"]
    labels = labels_of(shared_data, table)
    rows = rows_of(shared_data, table)[:, [COLUMNS[table].index(column)]]
    first = start(case["family"], rows, labels, max_iter=0).mixture_
    assert first.n_parameters == int(case["parameters"])
    assert first.log_likelihood(rows) == pytest.approx(float(case["first"]), rel=1e-9)
    last = finish(case["family"], rows, labels).mixture_
    assert last.log_likelihood(rows) == pytest.approx(float(case["last"]), rel=1e-9)


@pytest.mark.parametrize("table", CLASSES)
def test_free_parameters_are_mclusts(table: str) -> None:
    d, counted = len(COLUMNS[table]), 0
    for case in answers(table):
        k = int(case["components"])
        if case["parameters"] not in ("", "NA"):
            family = get_family(case["family"])
            assert k - 1 + k * d + family.n_parameters(k, d) == int(case["parameters"]), case
            counted += 1
    assert counted > 90
