"""Distances of Gaussians against integrals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import multivariate_normal, norm

from mixtura.drift import hellinger_distance, symmetric_divergence

CASES = [(0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 2.0, 1.0), (1.0, 0.5, -1.0, 2.0)]


@pytest.mark.parametrize(("a", "s", "b", "t"), CASES)
def test_in_one_dimension(a: float, s: float, b: float, t: float) -> None:
    p, q = norm(a, s), norm(b, t)
    arguments = np.array([a]), np.array([[s**2]]), np.array([b]), np.array([[t**2]])
    overlap = quad(lambda x: np.sqrt(p.pdf(x) * q.pdf(x)), -30, 30, points=[a, b])[0]
    assert hellinger_distance(*arguments) == pytest.approx(np.sqrt(max(0.0, 1 - overlap)), abs=1e-6)
    both = quad(
        lambda x: (p.pdf(x) - q.pdf(x)) * (p.logpdf(x) - q.logpdf(x)), -40, 40, points=[a, b], limit=400
    )[0]
    assert symmetric_divergence(*arguments) == pytest.approx(both, abs=1e-7)


def test_in_two_dimensions() -> None:
    mean, other = np.zeros(2), np.array([0.5, -1.0])
    one, two = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array([[2.0, -0.3], [-0.3, 0.5]])
    p, q = multivariate_normal(mean, one), multivariate_normal(other, two)

    def root(y: float, x: float) -> float:
        return float(np.sqrt(p.pdf([x, y]) * q.pdf([x, y])))

    overlap = dblquad(root, -7, 7, -7, 7, epsabs=1e-6)[0]
    assert hellinger_distance(mean, one, other, two) == pytest.approx(np.sqrt(1 - overlap), abs=1e-5)
    # Sums of logarithms over draws: E_p log p/q + E_q log q/p.
    x, y = p.rvs(200_000, random_state=0), q.rvs(200_000, random_state=1)
    drawn = (p.logpdf(x) - q.logpdf(x)).mean() + (q.logpdf(y) - p.logpdf(y)).mean()
    assert symmetric_divergence(mean, one, other, two) == pytest.approx(drawn, rel=0.02)
