"""scikit-learn's checks of any estimator."""

from __future__ import annotations

from typing import Any

import pytest
import sklearn.cluster
from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS
from sklearn.utils.estimator_checks import parametrize_with_checks

import mixtura
from mixtura.core.covariance import FAMILIES

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "the draws of the start run over row numbers, so weighted and repeated rows may start from different rows"
    )
}
"""What fails for those that draw several starts.

From the same start both are the same: `tests/laws/test_weights.py` shows it. K-means draws rows by their numbers as
scikit-learn's does, which fails this check as well; so does `GaussianMixture` with two components and more, whose draws
are scikit-learn's to the last digit. Searches have starts of their own, which do not depend on how rows are written:
`tests/laws/test_repeated_rows.py`.
"""


def expected_failures(estimator: Any) -> dict[str, str]:
    drawn = (mixtura.KMeans, mixtura.GaussianMixtureOutlierDetector)
    return EXPECTED if isinstance(estimator, drawn) else {}


@pytest.mark.sampled(3)
@parametrize_with_checks(
    [
        *(mixtura.GaussianMixture(covariance_type=name) for name in FAMILIES),
        mixtura.GaussianMixtureIC([1, 2, 3], covariance_type=["EEE", "VVI"], random_state=0),
        mixtura.GaussianMixtureOutlierDetector(n_estimators=10, random_state=0),
        mixtura.KMeans(n_clusters=3, n_init=2),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_no_more_is_expected_to_fail_than_for_scikit_learns_own() -> None:
    assert set(EXPECTED) <= set(PER_ESTIMATOR_XFAIL_CHECKS[sklearn.cluster.KMeans])
