"""Components of a mixture in another order, with all that belongs to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.segments.model.robust_file import components_alone

__all__ = ["ordered"]


def ordered(mixture: Mixture, order: Sequence[int]) -> Mixture:
    """Return the mixture with its components in another order."""
    chosen = np.asarray(order, dtype=np.intp)
    family = mixture.family
    own = family.storage.per_component
    covariances = mixture.covariances[chosen] if own else mixture.covariances
    alone = components_alone(mixture)
    found = Mixture.from_parameters(alone.weights[chosen], mixture.means[chosen], covariances, family.name)
    if mixture.background is not None:
        found = replace(found, weights=mixture.weights[chosen], offsets=None, background=mixture.background)
    tails = None if mixture.tails is None else mixture.tails.of(chosen)
    return replace(found, levels=mixture.levels and mixture.levels.of(chosen), tails=tails)
