"""Notes on how a model was chosen: what was excluded and why, and whether the number lies at the edge of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mixtura.segments.model.candidate_choice import Exclusion
from mixtura.segments.stability.model_choice import Contender, ModelChoice
from mixtura.select import Candidate
from mixtura.select.model_search.ranking import explain_choice, first_not_excluded

__all__ = ["choice_notes"]

_NAMED = 6
"""Models that are named at most."""


def choice_notes(
    ranking: Sequence[Candidate],
    best: Candidate,
    columns: Sequence[str],
    passed: Mapping[Candidate, Exclusion],
    min_share: float = 0.0,
    choice: ModelChoice | None = None,
    parts: str = "segments",
) -> list[str]:
    """Return sentences on the models that were excluded, the rule that decided, and a number at the edge of the search.

    Parameters
    ----------
    ranking : sequence of Candidate
    best : Candidate
    columns : sequence of str
    passed : mapping of Candidate to Exclusion
        Models of a smaller criterion that were excluded.
    min_share : float, default=0
    choice : ModelChoice or None, default=None
        How it was chosen among the others.
    parts : str, default="segments"
        What models have a number of: ``"components"`` where these were merged.
    """
    notes = []
    if passed:
        notes.append(_excluded(passed, columns, min_share))
    if best.smallest_share < min_share:
        notes.append(
            f"Every model has a segment of less than {_percent(min_share)} of the customers, also the chosen one. "
            "Try fewer segments with `components`."
        )
    by_stability = choice is not None and bool(choice.compared)  # which has the number, and not the type
    beside = [one for one in ranking if not by_stability or one.n_components == best.n_components]
    why = explain_choice(best, first_not_excluded(beside, tuple(passed)))
    if why is not None:
        notes.append(why)
    largest = max(candidate.n_components for candidate in ranking)
    if choice is not None and choice.compared:
        notes.append(_by_stability(choice, parts, largest))
    if 1 < best.n_components == largest and any(candidate.n_components < largest for candidate in ranking):
        more = list(range(largest, 2 * largest + 1))
        notes.append(
            f"The best number of {parts} is the largest that was tried ({largest}). The table may have more "
            f"structure, or columns too skewed for Gaussian components. Try `components={more}`."
        )
    return notes


def _by_stability(choice: ModelChoice, parts: str, largest: int) -> str:
    """Say which numbers of segments, or components, were compared by their stability, and what came out."""
    compared = sorted(choice.compared, key=lambda one: one.candidate.n_components)
    agreements = ", ".join(
        f"{one.candidate.n_components} {parts} {one.adjusted_rand:.2f}" for one in compared
    )
    best, smallest = choice.best.n_components, choice.smallest.n_components
    most_tried = "the most that were tried" if smallest == largest else "the most that were not excluded"
    if choice.determined:
        numbers = sorted({one.candidate.n_components for one in compared} | {smallest})
        at_the_edge = (
            f" {smallest} are {most_tried}, and are not among these: with more the criterion might be "
            "smaller still."
            if all(one.candidate is not choice.smallest for one in compared)
            else ""
        )
        return (
            f"The criterion does not separate {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} {parts}: another "
            f"sample may rank them otherwise. {_measured(choice.compared, parts)}: {agreements}. {best} are chosen, "
            f"among the most stable the one of the smallest criterion.{at_the_edge}"
        )
    most = choice.compared[0]
    return (
        f"The table does not determine a number of {parts}: the criterion falls up to {most.candidate.n_components}, "
        f"{most_tried}, but resampled customers do not give as many {parts} again (agreement "
        f"{most.adjusted_rand:.2f}, of the least stable one {most.least_jaccard:.2f}). The components follow the shape "
        f"of a density that is not Gaussian. {best} are a choice, not a finding: the most stable below that. "
        f"{_measured(choice.compared, parts)}: {agreements}."
    )


def _measured(compared: Sequence[Contender], parts: str) -> str:
    """Say what the agreements are of: the table of stability may look at more rows, and at one covariance type."""
    resamples, n_rows = max(one.agreements.size for one in compared), max(one.n_rows for one in compared)
    return (
        f"Agreement of the {parts} in {resamples} resamples of {n_rows:,} customers, each number with its best "
        "covariance type (1 is the same)"
    )


def _excluded(passed: Mapping[Candidate, Exclusion], columns: Sequence[str], min_share: float) -> str:
    """Say why models with a smaller criterion were not chosen."""
    reasons = []
    degenerate, few, small = ([one for one in passed if passed[one] is kind] for kind in Exclusion)
    if degenerate:
        first = degenerate[0]
        reasons.append(
            f"{_count(len(degenerate), 'model')} in which a segment sits on equal values, in a plane or on a handful "
            f"of customers, so that its likelihood is meaningless (in the first, {first.covariance_type} with "
            f"{first.n_components}: {first.degeneracies[0].describe(columns, first=1)})"
        )
    if few:
        reasons.append(
            f"{_count(len(few), 'model')} in which a segment has so few customers that they are outliers and not a "
            "segment"
        )
    if small:
        which = [
            f"{one.covariance_type} with {one.n_components}, {_percent(one.smallest_share)}"
            for one in small[:_NAMED]
        ]
        more = f"; and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
        reasons.append(
            f"{_count(len(small), 'model')} with a segment of less than {_percent(min_share)} of the customers "
            f"({'; '.join(which)}{more})"
        )
    return f"Excluded, with a smaller criterion: {'; '.join(reasons)}."


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
