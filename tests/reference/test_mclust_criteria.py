"""BIC and ICL against mclust 6.0.0, for fixed parameters on Old Faithful.

``mclust_criteria.R`` writes ``mclust_criteria.csv``: its E-step, its ``bic()`` and its ``icl()``, in its sign.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixtura import Mixture
from mixtura.engine import as_data
from mixtura.fit import score_mixture
from mixtura.select import bic, icl

with Path(__file__).with_name("mclust_criteria.csv").open(encoding="utf-8") as file:
    CASES = list(csv.DictReader(file))


def mixture_of(case: dict[str, str]) -> Mixture:
    weights, means, covariances = (
        np.array(case[name].split(), dtype=float) for name in ("weights", "means", "covariances")
    )
    full = covariances.reshape(-1, 2, 2)
    stored = {"VII": full[:, 0, 0], "EEE": full[0], "VVI": full[:, [0, 1], [0, 1]], "VVV": full}
    return Mixture.from_parameters(weights, means.reshape(-1, 2), stored[case["family"]], case["family"])


def test_there_are_cases() -> None:
    assert {(case["family"], case["components"]) for case in CASES} == {
        (family, k) for family in ("VII", "EEE", "VVI", "VVV") for k in "23"
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['family']}-{case['components']}")
def test_bic_and_icl_are_minus_those_of_mclust(shared_data: Path, case: dict[str, str]) -> None:
    rows = np.ascontiguousarray(
        pd.read_csv(shared_data / "old_faithful.csv")[["eruptions", "waiting"]], dtype=float
    )
    model = mixture_of(case)
    score = score_mixture(as_data(rows), model)
    fit = score.log_likelihood, model.n_parameters, len(rows)
    assert score.log_likelihood == pytest.approx(float(case["log_likelihood"]), rel=1e-12)
    assert bic(*fit) == pytest.approx(-float(case["BIC"]), rel=1e-12)
    assert icl(*fit, score.classification_entropy) == pytest.approx(-float(case["ICL"]), rel=1e-12)
