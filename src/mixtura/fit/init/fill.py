"""Rows with missing values filled, so that a start can be looked for in all of them."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.impute import conditional_means
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import DIAGONAL
from mixtura.core.prior import Ridge
from mixtura.fit.loop.driver import iterate
from mixtura.fit.loop.state import begin
from mixtura.fit.loop.stopping import AbsoluteChange
from mixtura.fit.steps.em import EMStep, Problem

__all__ = ["fill_missing"]

_RIDGE = 1e-3
"""Added to the variances of standardized columns: few rows may have both of two columns."""

_MOST_PASSES = 50


def fill_missing(data: Data) -> FloatArray:
    """Return all rows, (N, D), missing values replaced by conditional means under one Gaussian that EM fits.

    Only starts are looked for in them: rows keep to the shape of the whole table, and neither rows nor columns are left
    out.
    """
    rows = data.rows_with_missing(np.arange(data.n_rows))
    total = data.describe(DIAGONAL)
    means = total.means[0] + total.first[0] / total.total_weight
    variances = total.second[0] / total.total_weight
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    weights = data.rows_and_weights(np.arange(data.n_rows))[1]
    standard = (rows - means) / scale
    problem = Problem(
        data.in_memory(standard, weights).alone(), GaussianModel(1, get_family("full"), Ridge(_RIDGE))
    )
    d = data.n_features
    first = Mixture.from_parameters([1.0], np.zeros((1, d)), np.eye(d)[None], "full")
    step = EMStep(problem)
    fitted = iterate(begin(step, first), step, AbsoluteChange(1e-3), _MOST_PASSES).model
    return np.asarray(conditional_means(fitted, standard) * scale + means)
