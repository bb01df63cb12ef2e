"""Full-information fits find groups again where dropping rows or filling in means does not.

Rows are drawn as in `benchmarks/missing.py`; that prints the figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.missing import lose, make_groups, make_survey, recover, search_survey
from sklearn.metrics import adjusted_rand_score

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_more_is_recovered_than_by_dropping_rows_or_filling_in_means(share: float) -> None:
    """Means of six draws, values missing at random for reasons that the first column explains."""
    found: dict[str, list[Any]] = {}
    for seed in range(6):
        rows, labels, means = make_groups(seed)
        holed = lose(rows, share, seed)
        assert np.isnan(holed).mean() == pytest.approx(share, abs=0.07)
        for name, one in recover(holed, labels, means).items():
            found.setdefault(name, []).append([one.agreement, one.error])
    agreement, error = ({name: np.mean(values, axis=0)[j] for name, values in found.items()} for j in (0, 1))
    for other in ("rows dropped", "means filled in"):
        assert error["fiml"] < 0.6 * error[other]
        assert agreement["fiml"] > agreement[other] - 0.005


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_of_a_survey_without_a_complete_row_are_found_again(seed: int) -> None:
    rows, labels = make_survey(seed)
    assert rows.shape == (1145, 25)
    assert ((~np.isnan(rows)).sum(axis=1) == 12).all()
    best = search_survey(rows).best
    assert best.n_components == 4
    found = adjusted_rand_score(labels, best.mixture.predict(rows))
    assert found > 0.6
