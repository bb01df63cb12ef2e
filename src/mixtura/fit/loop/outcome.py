"""How a run of the loop ended, as a value that explains itself."""

from __future__ import annotations

from enum import Enum

__all__ = ["Outcome"]


class Outcome(Enum):
    """How a fit ended; `explanation` says what it means and what to do."""

    CONVERGED = "converged"
    REPAIRED = "converged after repair"
    REJECTED = "step rejected"
    ABANDONED = "abandoned"
    ITERATION_LIMIT = "iteration limit"
    NOT_ITERATED = "not iterated"
    NOT_REFINED = "not refined"

    @property
    def is_converged(self) -> bool:
        """Whether the stopping rule was satisfied."""
        return self in (Outcome.CONVERGED, Outcome.REPAIRED)

    @property
    def explanation(self) -> str:
        """What it means, and what to change, in plain words."""
        return {
            Outcome.CONVERGED: "The stopping rule was satisfied.",
            Outcome.REPAIRED: (
                "The stopping rule was satisfied, but a component lost its rows or its width on the way and was "
                "repaired. Try fewer components, a larger prior, or another start."
            ),
            Outcome.REJECTED: (
                "A step would have lowered the objective, because a covariance is so nearly singular that its digits "
                "are lost; the mixture before it was kept. Look for outliers, rescale the columns, or try fewer "
                "components or a larger prior."
            ),
            Outcome.ABANDONED: (
                "The run fell too far behind the best log-likelihood so far, came to an end that was known, or "
                "collapsed, and was not continued. The mixture is valid but may still improve. Try fewer components, "
                "or a larger prior."
            ),
            Outcome.ITERATION_LIMIT: (
                "As many passes as allowed were made before the stopping rule was satisfied. The mixture is valid but "
                "may still improve with more."
            ),
            Outcome.NOT_ITERATED: "No pass was allowed: this is the start, not a fit.",
            Outcome.NOT_REFINED: (
                "Fitted on a subsample and updated by some passes over all rows; not refined further because other "
                "models score better. Its log-likelihood is of all rows and would still rise, but not enough to be the "
                "best."
            ),
        }[self]
