"""What a detector has learned of a table: scores of rows, and the probabilities that give them a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixtura._typing import FloatArray
from mixtura.anomaly.calibration import Calibration, ConformalCalibration, self_calibration
from mixtura.anomaly.ensemble import Ensemble, learn_ensemble
from mixtura.anomaly.judged_rows import MeanStrangeness, StableStrangeness, TailOfDensity, judged
from mixtura.anomaly.member_draws import EnsembleRecipe
from mixtura.anomaly.normal_mixture import NormalMixture, learn_normal
from mixtura.anomaly.standard_rows import StandardRows, standardize
from mixtura.anomaly.tail_probability import Tail, tail_of
from mixtura.core.explanation.reasons import Reasons, reasons_for

__all__ = ["FittedDetector", "learn_detector"]

_RESAMPLES = 100
_COMPONENTS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, eq=False)
class FittedDetector:
    """Ensemble and mixture of a table; the mixture and what follows from it are found when first asked for.

    Parameters
    ----------
    standard : StandardRows
    ensemble : Ensemble
    min_share : float
        Least weight of a normal component of the mixture.
    all_normal : bool
        Whether no row of the table is an anomaly.
    seed : int
    """

    standard: StandardRows
    ensemble: Ensemble
    min_share: float
    all_normal: bool
    seed: int

    def scores(self, rows: FloatArray) -> FloatArray:
        """Return the score of each of some rows (N, D) in the user's units, (N,): the lower, the stranger."""
        return judged(rows, self.standard, MeanStrangeness(self.ensemble))[0]

    def log_p_values(self, rows: FloatArray) -> FloatArray:
        """Return the log p-value of each of some rows (N, D), (N,), calibrated by rows held out.

        Where all rows of the table are normal they are conformal p-values of the score, by the members that did not
        see a row. Otherwise they are tail probabilities of the density, corrected by folds.
        """
        if self.all_normal:
            return self._calibration.log_p_values(-self.scores(rows))
        return self._calibration.log_p_values(-self.log_tail_probabilities(rows))

    def held_out_scores(self) -> tuple[FloatArray, FloatArray | None]:
        """Return scores of the sampled rows, each by the members that did not see it, and the weights of these rows."""
        found, weights = -self._out_of_bag, self.standard.weights
        judged = ~np.isnan(found)
        return found[judged], None if weights is None else weights[judged]

    def log_tail_probabilities(self, rows: FloatArray) -> FloatArray:
        """Return how likely a row of the mixture has a density as low as each of some rows, (N,), as a logarithm."""
        return judged(rows, self.standard, TailOfDensity(self.normal.normal, self._density_tail))[0]

    def reasons(self, rows: FloatArray) -> Reasons:
        """Return why some rows (N, D) are strange; expected values in the user's units."""
        standard = self.standard
        found = reasons_for(self.normal.normal, standard.scaled(rows))
        contributions, expected = np.zeros(rows.shape), np.tile(standard.center, (len(rows), 1))
        contributions[:, standard.columns] = found.contributions
        expected[:, standard.columns] += found.expected * standard.scale[standard.columns]
        return Reasons(found.components, contributions, expected)

    def stability(self, rows: FloatArray, share: float) -> FloatArray:
        """Return in which share of resamples of the members each row is among the strangest of a share, (N,)."""
        return self.scores_and_stability(rows, share)[1]

    def scores_and_stability(self, rows: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
        """Return the score and the stability of each row, (N,) each; all members look at a row once."""
        rng, n_members = np.random.RandomState(self.seed), len(self.ensemble.members)
        weights = rng.multinomial(n_members, np.full(n_members, 1 / n_members), size=_RESAMPLES) / n_members
        limits = np.quantile(weights @ self.ensemble.each(self.standard.sample), 1.0 - share, axis=1)
        scores, stability = judged(rows, self.standard, StableStrangeness(self.ensemble, weights, limits))
        return scores, stability

    @cached_property
    def normal(self) -> NormalMixture:
        """The mixture of the normal rows."""
        return learn_normal(self.standard, _COMPONENTS, self.min_share, self.seed)

    @cached_property
    def _density_tail(self) -> Tail:
        return tail_of(self.normal.normal, self.seed)

    @cached_property
    def _out_of_bag(self) -> FloatArray:
        return self.ensemble.out_of_bag(self.standard.sample)

    @cached_property
    def _calibration(self) -> Calibration:
        sample = self.standard.sample
        if self.all_normal:
            return ConformalCalibration(np.sort(-self.held_out_scores()[0]))
        densities = self.normal.held_out(self.standard, self.min_share, self.seed)
        n_missing = np.isnan(sample).sum(axis=1)
        return self_calibration(-self._density_tail.log_probability(densities, n_missing))


def learn_detector(rows: FloatArray, weights: FloatArray | None, recipe: EnsembleRecipe) -> FittedDetector:
    """Learn what normal rows look like.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units, NaN where a value is missing; those of a memory map are read in parts.
    weights : ndarray of shape (N,) or None
    recipe : EnsembleRecipe
    """
    standard = standardize(rows, weights, recipe.seed)
    ensemble = learn_ensemble(standard, recipe)
    return FittedDetector(standard, ensemble, recipe.min_share, recipe.all_normal, recipe.seed)
