"""What the models of a search have against outliers: nothing, noise, or t components."""

from __future__ import annotations

from dataclasses import dataclass

from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.parts.student import StudentTails
from mixtura.core.parts.volume import measure_background
from mixtura.kernels.terms.background import Background

__all__ = ["KINDS", "ROBUST", "Robustness"]

KINDS = ("none", "noise", "t")
"""What models have, as searches name it."""

ROBUST = (*KINDS, "auto")
"""What ``robust`` may be."""


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """Terms of a model beside Gaussian components.

    Parameters
    ----------
    background : Background, optional
        Noise.
    tails : StudentTails, optional
    """

    background: Background | None = None
    tails: StudentTails | None = None

    @classmethod
    def named(cls, kind: str, data: Data) -> Robustness:
        """Return one of `KINDS` for these rows."""
        if kind == "noise":
            return cls(background=measure_background(data))
        return cls(tails=StudentTails()) if kind == "t" else cls()

    @classmethod
    def of(cls, mixture: Mixture) -> Robustness:
        """Return that of a fitted mixture, noise with the share that was found."""
        tails = None if mixture.tails is None else StudentTails(mixture.tails.common)
        return cls(mixture.background, tails)
