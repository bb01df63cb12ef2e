"""Discriminant directions against mclust 6.0.0's ``MclustDR`` on the penguins' four measurements.

``mclust/mclust_projection.R`` writes the parameters, and the eigenvalues and directions that mclust finds for them.
"""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.core.projection import discriminant_projection
from reference.tables import answers

CASES = answers("projection")


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def test_there_are_cases() -> None:
    assert {(case["family"], case["share"]) for case in CASES} == {
        (family, share) for family in ("EEE", "VVV") for share in ("1", "0.5")
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['family']}-{case['share']}")
def test_directions_are_those_of_mclust(case: dict[str, str]) -> None:
    covariances = numbers(case["covariances"]).reshape(3, 4, 4)
    mixture = Mixture.from_parameters(
        numbers(case["weights"]), numbers(case["means"]).reshape(3, 4), covariances, "full"
    )
    found = discriminant_projection(mixture, 2, location_share=float(case["share"]))
    np.testing.assert_allclose(found.eigenvalues, numbers(case["eigenvalues"]), rtol=1e-5)
    theirs = numbers(case["basis"]).reshape(2, 4)
    ours = (found.basis / np.linalg.norm(found.basis, axis=0)).T
    for one, other in zip(ours, theirs, strict=True):
        # A direction has no sign.
        np.testing.assert_allclose(one * np.sign(one @ other), other, atol=1e-5)
