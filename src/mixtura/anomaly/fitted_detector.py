"""What a detector has learned of a table: scores of rows, and the probabilities that give them a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixtura._typing import FloatArray
from mixtura.anomaly.calibration import Calibration, ConformalCalibration, self_calibration
from mixtura.anomaly.ensemble import Ensemble
from mixtura.anomaly.normal_mixture import NormalMixture, learn_normal, log_density
from mixtura.anomaly.standard_rows import StandardRows
from mixtura.anomaly.tail_probability import Tail, tail_of
from mixtura.core.explanation.reasons import Reasons, reasons_for

__all__ = ["FittedDetector"]

_RESAMPLES = 100
_BLOCK = 4_096
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
        return -self.ensemble.strangeness(self.standard.scaled(rows))

    def log_p_values(self, rows: FloatArray) -> FloatArray:
        """Return the log p-value of each of some rows (N, D), (N,), calibrated by rows held out.

        Where all rows of the table are normal they are conformal p-values of the score, by the members that did not
        see a row. Otherwise they are tail probabilities of the density, corrected by folds.
        """
        if self.all_normal:
            return self._calibration.log_p_values(-self.scores(rows))
        return self._calibration.log_p_values(-self.log_tail_probabilities(rows))

    def log_tail_probabilities(self, rows: FloatArray) -> FloatArray:
        """Return how likely a row of the mixture has a density as low as each of some rows, (N,), as a logarithm."""
        scaled = self.standard.scaled(rows)
        return self._density_tail.log_probability(
            log_density(self.normal.normal, scaled), np.isnan(scaled).sum(axis=1)
        )

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
        rng, n_members = np.random.RandomState(self.seed), len(self.ensemble.members)
        weights = rng.multinomial(n_members, np.full(n_members, 1 / n_members), size=_RESAMPLES) / n_members
        limits = np.quantile(weights @ self.ensemble.each(self.standard.sample), 1.0 - share, axis=1)
        scaled, found = self.standard.scaled(rows), np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            strange = weights @ self.ensemble.each(np.ascontiguousarray(scaled[start : start + _BLOCK]))
            found[start : start + _BLOCK] = (strange >= limits[:, None]).mean(axis=0)
        return found

    @cached_property
    def normal(self) -> NormalMixture:
        """The mixture of the normal rows."""
        return learn_normal(self.standard, _COMPONENTS, self.min_share, self.seed)

    @cached_property
    def _density_tail(self) -> Tail:
        return tail_of(self.normal.normal, self.seed)

    @cached_property
    def _calibration(self) -> Calibration:
        sample = self.standard.sample
        if self.all_normal:
            held_out = self.ensemble.out_of_bag(sample)
            return ConformalCalibration(np.sort(held_out[~np.isnan(held_out)]))
        densities = self.normal.held_out(self.standard, self.min_share, self.seed)
        n_missing = np.isnan(sample).sum(axis=1)
        return self_calibration(-self._density_tail.log_probability(densities, n_missing))
