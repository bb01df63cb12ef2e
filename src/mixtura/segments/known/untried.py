"""Numbers of segments that were asked for and are fewer than those known or kept."""

from __future__ import annotations

from collections.abc import Sequence

from mixtura.segments.table.prepare import Prepared

__all__ = ["untried_notes"]


def untried_notes(prepared: Prepared, components: Sequence[int] | None) -> tuple[str, ...]:
    """Return a sentence on numbers of segments that were asked for and not tried; none where all were.

    Parameters
    ----------
    prepared : Prepared
    components : sequence of int or None
        As they were asked for.
    """
    if prepared.kept is not None:
        fewest, why = prepared.kept.n_segments, "are kept"
    elif prepared.known is not None:
        fewest, why = len(prepared.known.names), f"are known by {prepared.known.column}"
    else:
        return ()
    untried = sorted({size for size in components or () if size < fewest})
    if not untried:
        return ()
    said = f"{', '.join(map(str, untried[:-1]))} and {untried[-1]}" if len(untried) > 1 else str(untried[0])
    were = "was" if len(untried) == 1 else "were"
    return (
        f"Of the numbers of segments asked for with `components` {said} {were} not tried: {fewest} {why}.",
    )
