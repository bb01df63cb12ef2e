"""Log-likelihood and entropies of a mixture on all rows."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.core.data import Data
from mixtura.data import ArrayBlocks
from mixtura.engine import as_data
from mixtura.fit import score_mixture
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner, ThreadRunner
from naive import naive_e_step, naive_entropies


def mixture(covariance_type: str) -> Mixture:
    full = np.array([[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 3.0]], [[1.0, -0.4], [-0.4, 1.5]]])
    stored = {"full": full, "tied": full[0], "diag": full[:, [0, 1], [0, 1]], "spherical": full[:, 0, 0]}
    means = [[0.0, 0.0], [2.0, 1.0], [9.0, 9.0]]
    return Mixture.from_parameters([0.3, 0.5, 0.2], means, stored[covariance_type], covariance_type)


@pytest.mark.parametrize("kernel", ["native", "numpy"])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_what_a_loop_over_rows_gives(kernel: str, covariance_type: str, weighted: bool) -> None:
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((120, 2)) * 3 + [1.0, 1.0]
    weights = rng.uniform(0, 3, size=120) if weighted else np.ones(120)
    model = mixture(covariance_type)
    log_density, memberships = naive_e_step(rows, model.weights, model.means, model.full_covariances())
    expected = naive_entropies(memberships, weights)
    blocks = ArrayBlocks(rows, weights if weighted else None)
    score = score_mixture(Data(blocks, get_kernel(kernel), SerialRunner()), model)
    np.testing.assert_allclose(score.log_likelihood, weights @ np.array(log_density), rtol=1e-12)
    np.testing.assert_allclose([score.entropy, score.classification_entropy], expected, rtol=1e-10)
    assert 0 < score.classification_entropy < score.entropy


def test_many_blocks_on_threads_give_the_same_digits_as_one_thread() -> None:
    model = mixture("full")
    rows, _ = model.sample(30_000, 1)
    blocks, kernel = ArrayBlocks(rows), get_kernel(n_features=2)
    assert len(blocks) > 10
    alone, together = (
        score_mixture(Data(blocks, kernel, one), model) for one in (SerialRunner(), ThreadRunner(3))
    )
    assert alone == together
    memberships = model.responsibilities(rows)
    np.testing.assert_allclose(
        alone.classification_entropy, -np.log(memberships.max(axis=1)).sum(), rtol=1e-10
    )


def test_a_single_component_is_certain() -> None:
    model = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diag")
    score = score_mixture(as_data(np.eye(2)), model)
    assert (score.entropy, score.classification_entropy) == (0.0, 0.0)
