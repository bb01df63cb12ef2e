"""What the document says of components that overlap, and of those that were merged."""

from __future__ import annotations

from typing import Any

from mixtura.segments.jsonable import to_jsonable
from mixtura.segments.merging.segment_merging import SegmentMerging
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.results.document_base import Number, Part

__all__ = ["MergeStepPart", "MergingPart", "merging_content"]


class MergeStepPart(Part):
    """Two clusters of components that become one."""

    n_segments: int
    """How many clusters there are afterwards."""
    left: list[int]
    """Components of the one, from 1."""
    right: list[int]
    """Components of the other."""
    overlap: Number
    """Entropy between the two, as a share of the most possible: 0 apart, 1 the same."""
    valley: Number
    """How high the density stays between them, as a share of the lower peak: 1 where no valley lies between."""
    one_group: bool
    """Whether both say that they are parts of one group."""


class MergingPart(Part):
    """How components are merged to segments, by the entropy of their memberships (Baudry et al. 2010)."""

    asked: str | int | None
    """`auto`, a number of segments, or null where merging was not asked for."""
    components: int
    """Components of the model. Where segments have one each, numbers of components are those of segments."""
    segments: list[list[int]]
    """Components of each segment."""
    suggested: int
    """Segments that are left if all that are parts of one group are merged."""
    offered: int | None
    """The same where merging is offered unasked: it is clear that they are one group; null otherwise."""
    steps: list[MergeStepPart]
    """All merges, in the order made."""


def merging_content(model: SegmentModel, asked: str | int | None, found: SegmentMerging) -> dict[str, Any]:
    """Return the part `merging` of the document."""
    n_components = model.mixture.n_components
    groups = model.groups or tuple((k,) for k in range(n_components))
    return {
        "asked": asked,
        "components": n_components,
        "segments": [[k + 1 for k in group] for group in groups],
        "suggested": found.suggested,
        "offered": found.offered,
        "steps": [
            {
                "n_segments": one.n_segments,
                "left": [k + 1 for k in one.left],
                "right": [k + 1 for k in one.right],
                "overlap": to_jsonable(one.overlap),
                "valley": to_jsonable(one.valley),
                "one_group": found.is_one_group(one),
            }
            for one in found.steps
        ],
    }
