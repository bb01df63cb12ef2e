"""Sentences on components that overlap: what was merged, and what may be one group."""

from __future__ import annotations

from collections.abc import Sequence

from mixtura.segments.merging.segment_merging import SegmentMerging
from mixtura.segments.model.segment_model import SegmentModel

__all__ = ["merging_notes"]


def merging_notes(model: SegmentModel, asked: str | int | None, found: SegmentMerging) -> tuple[str, ...]:
    """Return sentences on what was merged, why nothing was, or which segments may be parts of one group."""
    if model.groups:
        return (_merged(model, asked, found.merging.n_components),)
    if asked is None:
        return () if found.offered is None else (_offered(found),)
    return (_none_merged(asked, found),)


def _none_merged(asked: str | int, found: SegmentMerging) -> str:
    n_components = found.merging.n_components
    if n_components == 1:
        return "The model has a single component: there is nothing to merge."
    if asked != "auto" and int(asked) >= n_components:
        return (
            f"None were merged: the model has {n_components} components, no more than the {asked} segments that were "
            "asked for."
        )
    if asked != "auto":
        return (
            "None were merged: whichever components are put together, some segment would be the most probable of no "
            "customer."
        )
    if found.suggested == 1:
        overlap = (
            f"All components overlap{', and no valley lies between them' if found.rule.continuous else ''}"
        )
        return (
            f"{overlap}: they are parts of one group. They were not merged, as a single segment would say nothing. Say "
            "a number with `merge=2` to merge some."
        )
    if found.is_one_cloud:
        return (
            f"Components that are parts of one group would be one segment with {100 * found.largest:.0f} % of the "
            "customers. They were not merged, as it would say nothing. Say a number with `merge=2` to merge some."
        )
    return "No components overlap so much that they are one group: none were merged."


def _merged(model: SegmentModel, asked: str | int | None, n_components: int) -> str:
    several = [
        f"segment {number} has {len(group)}"
        for number, group in enumerate(model.groups, start=1)
        if len(group) > 1
    ]
    if asked == "auto":
        why = "as far as they are parts of one group"
    elif asked == model.n_segments:
        why = "as was asked for"
    else:
        why = f"not to the {asked} asked for, of which one would be without customers"
    return (
        f"{n_components} components were merged to {model.n_segments} segments, {why}: {_listed(several)}. "
        "Probabilities of components add up; the density, and so anomalies, are as before."
    )


def _offered(found: SegmentMerging) -> str:
    groups = [one for one in found.merging.groups(found.suggested) if len(one) > 1]
    named = [_listed([str(k + 1) for k in group]) for group in groups]
    which = f"Segments {named[0]} overlap" if len(named) == 1 else f"Segments {'; '.join(named)} overlap each"
    if found.rule.continuous:
        much = "so much, and with so little of a valley between them, that they may be parts of one group that is not "
        much += "Gaussian"
    else:
        much = "so much that they may be parts of one group, in which answers depend on each other"
    return f"{which} {much}. `merge='auto'` makes one segment of such components, {found.suggested} segments in all."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
