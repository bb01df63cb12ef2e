"""Changes and verdicts in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mixtura.drift import Change

__all__ = ["change_sentence", "verdict_sentences"]


def change_sentence(
    change: Change,
    names: Sequence[str],
    columns: Sequence[str],
    before: float | None = None,
    after: float | None = None,
) -> str:
    """Return a change in words.

    Parameters
    ----------
    change : Change
    names : sequence of str
        Of the segments.
    columns : sequence of str
        Of the change.
    before, after : float or None, default=None
        Means of the column, in its unit.

    Examples
    --------
    >>> from mixtura.drift import Change
    >>> from mixtura.segments.results.changes.change_sentences import change_sentence
    >>> shift = Change("center", 0, (1,), 0.31, 0.22, 0.4, 0.0001)
    >>> change_sentence(shift, ["loyal"], ["revenue"], 40.0, 52.0)
    "in 'loyal' revenue rose by 0.31 standard deviations (0.22 to 0.40), from 40 to 52"
    """
    where = "" if change.segment is None else f"in {names[change.segment]!r} "
    interval = f"({change.low:.2f} to {change.high:.2f})"
    size = f"{change.effect:+.2f} {interval}"
    match change.family:
        case "center":
            return where + _center(change, columns[0], before, after)
        case "spread":
            times, low, high = (math.exp(one) for one in (change.effect, change.low, change.high))
            former = f"is {times:.2f} times the former ({low:.2f} to {high:.2f})"
            return f"{where}the standard deviation of {columns[0]} {former}"
        case "correlation":
            return f"{where}the correlation of {columns[0]} and {columns[1]} changed by {size}"
        case "levels":
            said = f"the shares of the values of {columns[0]} changed"
            return f"{where}{said}: Cohen's w {change.effect:.2f} {interval}"
        case "shares":
            return f"the shares of the segments changed: Cohen's w {change.effect:.2f} {interval}"
        case "likelihood":
            less = "less" if change.effect < 0 else "more"
            return (
                f"the mean log density changed by {size} standard deviations: the model expects them {less}"
            )
        case "density":
            return f"the log densities are distributed differently: Cohen's w {change.effect:.2f} {interval}"
    return (
        f"the share of customers whom the model hardly expects changed by {100 * change.effect:+.1f} points "
        f"({100 * change.low:.1f} to {100 * change.high:.1f})"
    )


def _center(change: Change, what: str, before: float | None, after: float | None) -> str:
    """Return a shift in words, its interval without the sign that the verb says."""
    verb, sign = ("rose", 1) if change.effect > 0 else ("fell", -1)
    low, high = sorted((sign * change.low, sign * change.high))
    moved = "" if before is None or after is None else f", from {before:,.4g} to {after:,.4g}"
    return f"{what} {verb} by {abs(change.effect):.2f} standard deviations ({low:.2f} to {high:.2f}){moved}"


_ADVICE = {
    "keep": "Keep the model: ",
    "update": "Update the model, estimating the same segments again: ",
    "refit": "Search for segments again: ",
}


def verdict_sentences(
    word: str, decisive: str | None, *, beyond_chance: bool, moved: str | None = None
) -> tuple[str, str]:
    """Return a verdict in words, and its reason alone.

    Parameters
    ----------
    word : {"keep", "update", "refit"}
    decisive : str or None
        The change that decided, in words.
    beyond_chance : bool
        Whether chance does not explain it.
    moved : str or None, default=None
        How many customers are in another segment, in words, where more are than chance explains: the model may stay.

    Examples
    --------
    >>> from mixtura.segments.results.changes.change_sentences import verdict_sentences
    >>> verdict_sentences("keep", None, beyond_chance=False)
    ('Keep the model: nothing changed beyond what chance explains.', 'Nothing changed beyond what chance explains.')
    """
    reason = f"{decisive}."
    if word == "keep":
        reason = "nothing changed beyond what chance explains."
        if moved is not None:
            reason = f"the segments did not change beyond what chance explains, {moved}."
        if decisive is not None and beyond_chance:
            reason = f"what changed beyond chance is too small to matter ({decisive})."
    return _ADVICE[word] + reason, reason[:1].upper() + reason[1:]
