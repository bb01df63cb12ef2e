"""What the criterion says of the models that were tried, from a search or from the document of a segmentation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mixtura.core.covariance import is_factor, mclust_name
from mixtura.select import Candidate, SearchResult

if TYPE_CHECKING:
    from mixtura.segments import SegmentationResult
    from mixtura.segments.results.document import Document

__all__ = ["Score", "Scores", "scores_of_document", "scores_of_result", "scores_of_search", "volume_of"]


@dataclass(frozen=True, slots=True)
class Score:
    """The value of a criterion for one model.

    Parameters
    ----------
    covariance_type : str
    n_components : int
    value : float
        Infinite or NaN where there is none.
    degenerate : bool
        Whether its likelihood means nothing.
    """

    covariance_type: str
    n_components: int
    value: float
    degenerate: bool


@dataclass(frozen=True, slots=True)
class Scores:
    """The values of a criterion for all models, and the choice.

    Parameters
    ----------
    criterion : str
        Its name, such as ``"bic"``.
    models : tuple of Score
    chosen : Score
    band : (float, float) or ()
        The smallest score of cross-validation and one standard error above it.
    counted : str, default="components"
        What is counted of a model: ``"segments"`` where each component is one.
    """

    criterion: str
    models: tuple[Score, ...]
    chosen: Score
    band: tuple[float, ...] = ()
    counted: str = "components"

    def values(self) -> list[dict[str, Any]]:
        """Return the models as rows of data, those with the fewest components first; infinite values are left out."""
        return [
            {
                "count": one.n_components,
                "value": one.value,
                "covariances": one.covariance_type,
                "volume": volume_of(one.covariance_type),
                "degenerate": one.degenerate,
            }
            for one in sorted(self.models, key=lambda one: one.n_components)
            if math.isfinite(one.value)
        ]


def volume_of(covariance_type: str) -> str:
    """Return whether components have one volume, E, or different ones, V; of covariances of factors, one noise."""
    letters = mclust_name(covariance_type)
    if is_factor(covariance_type):
        return "E" if letters[1] == "C" else "V"
    return letters[0]


def scores_of_search(result: SearchResult) -> Scores:
    """Return the scores of a search."""
    return _scores(result.criterion, result.ranking, result.best, result.minimum)


def scores_of_result(result: SegmentationResult) -> Scores:
    """Return the scores of the models that a segmentation tried."""
    scores = _scores(result.model.training.criterion, result.ranking, result.best, result.minimum)
    is_merged = result.best.n_components != result.model.n_segments
    return replace(scores, counted="components" if is_merged else "segments")


def _scores(name: str, ranking: Sequence[Candidate], best: Candidate, smallest: Candidate) -> Scores:
    scored = {
        id(one): Score(one.covariance_type, one.n_components, one.criterion(name), one.is_degenerate)
        for one in ranking
    }
    folds = smallest.folds if name == "cv" else None
    known = folds is not None and folds.failure is None
    return Scores(
        criterion=name,
        models=tuple(scored.values()),
        chosen=scored[id(best)],
        band=(folds.score, folds.score + folds.standard_error) if known and folds is not None else (),
    )


def scores_of_document(document: Document) -> Scores:
    """Return the scores of the models that the document of a segmentation lists."""
    choice, name = document.choice, document.choice.criterion_name
    degenerate = {(one.covariance_type, one.n_components) for one in document.diagnostics.degenerate}

    def score(covariance_type: str, n_components: int, value: float | None) -> Score:
        found = math.inf if value is None else value
        return Score(covariance_type, n_components, found, (covariance_type, n_components) in degenerate)

    smallest = next(one for one in document.candidates if not one.excluded)
    best, error = smallest.criterion("cv"), smallest.criterion("cv_standard_error")
    has_band = name == "cv" and best is not None and error is not None
    return Scores(
        criterion=name,
        models=tuple(
            score(one.covariance_type, one.n_components, one.criterion(name)) for one in document.candidates
        ),
        chosen=score(choice.covariance_type, choice.n_components, choice.criterion(name)),
        band=(best, best + error) if has_band and best is not None and error is not None else (),
        counted=f"{document.counted}s",
    )
