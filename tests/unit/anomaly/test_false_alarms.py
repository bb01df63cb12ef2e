"""How often clean tables raise alarms, and how many flagged rows are false: hundreds of draws, slow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixtura import GaussianMixtureOutlierDetector
from mixtura._typing import BoolArray, FloatArray

N_DRAWS, N_ROWS, RATE = 200, 400, 0.1


def draw(seed: int, share: float) -> tuple[FloatArray, BoolArray]:
    """Return two groups of rows, some of them scattered widely."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(N_ROWS, 4)) + 5.0 * (rng.uniform(size=(N_ROWS, 1)) < 0.4)
    strange = np.arange(N_ROWS) < share * N_ROWS
    rows[strange] += rng.normal(0, 6, size=(int(strange.sum()), 4))
    return rows, strange


def flags(rows: FloatArray) -> BoolArray:
    return GaussianMixtureOutlierDetector(2, random_state=0).fit(rows).flag(rows, fdr=RATE)


@pytest.mark.slow
def test_clean_tables_raise_alarms_no_more_often_than_asked() -> None:
    alarms = sum(bool(flags(draw(seed, 0.0)[0]).any()) for seed in range(N_DRAWS))
    assert alarms <= stats.binom.ppf(0.999, N_DRAWS, RATE)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_false_discoveries_stay_within_a_point_of_the_rate(share: float) -> None:
    rates = []
    for seed in range(N_DRAWS // 2):
        rows, strange = draw(seed, share)
        flagged = flags(rows)
        rates.append((flagged & ~strange).sum() / max(flagged.sum(), 1))
    assert np.mean(rates) <= RATE + 0.01
