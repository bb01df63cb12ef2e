"""Fits from the starts of a search against mclust's from its own (R's mclust 6.0.0, fits finished).

For the model that mclust chooses on every table the log-likelihood is at least mclust's. On the mall customers all
families with 1 to 9 components are fitted, and the choice is mclust's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import MCLUST_NAMES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.fit import FitResult, Problem, RemainingGain, Settings, SharedStarts, fit_best_of
from reference.tables import COLUMNS, answers, rows_of


def mclusts(table: str) -> dict[tuple[str, int], tuple[float, float]]:
    """Log-likelihood and BIC, ours smaller is better, of every fit that mclust has."""
    return {
        (line["family"], int(line["components"])): (float(line["log_likelihood"]), -float(line["bic"]))
        for line in answers(table)
        if line["log_likelihood"] not in ("", "NA")
    }


def wide(rows: Any) -> Any:
    """Whether no component is a spike: nowhere less than a thousandth of the variance of all rows."""
    inverse = np.linalg.inv(np.linalg.cholesky(np.cov(rows.T, bias=True)))

    def accept(mixture: Mixture) -> bool:
        return all(
            np.linalg.eigvalsh(inverse @ one @ inverse.T)[0] > 1e-3 for one in mixture.full_covariances()
        )

    return accept


def fit(rows: Any, starts: SharedStarts, family: str, k: int) -> FitResult:
    problem = Problem(as_data(rows), GaussianModel(k, get_family(family), Ridge(0.0)))
    settings = Settings(RemainingGain(float(len(rows)), 1e-3), 3000)
    return fit_best_of(
        problem, starts.starts(k), settings, random_state=np.random.RandomState(0), accept=wide(rows)
    )


def starts_of(rows: Any) -> SharedStarts:
    return SharedStarts(as_data(rows), np.random.RandomState(0))


@pytest.mark.parametrize("table", COLUMNS)
def test_the_model_mclust_chooses_is_as_likely_here(shared_data: Path, table: str) -> None:
    rows, theirs = rows_of(shared_data, table), mclusts(table)
    family, k = min(theirs, key=lambda cell: theirs[cell][1])
    found = fit(rows, starts_of(rows), family, k)
    assert found.converged
    assert found.lower_bound * len(rows) >= theirs[family, k][0] - 0.01


def test_the_choice_on_the_mall_customers_is_mclusts(shared_data: Path) -> None:
    rows, theirs = rows_of(shared_data, "mall_customers"), mclusts("mall_customers")
    starts, accept, n = starts_of(rows), wide(rows), len(rows)
    bic, higher = {}, []
    for family in MCLUST_NAMES:
        for k in range(1, 10):
            found = fit(rows, starts, family, k)
            if not accept(found.mixture):
                continue
            total = found.lower_bound * n
            bic[family, k] = -2 * total + found.mixture.n_parameters * np.log(n)
            if (family, k) in theirs:
                higher.append(total >= theirs[family, k][0] - 0.01)
    assert min(bic, key=lambda cell: bic[cell]) == ("EII", 7)
    assert len(higher) > 100
    assert np.mean(higher) >= 0.98
