"""A segmentation as a small card in a notebook."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from mixtura.exceptions import OptionalDependencyError
from mixtura.plot import render_svg
from mixtura.plot.charts.profiles import profile_chart
from mixtura.plot.data.profile_table import profiles_of_document
from mixtura.plot.export.export import finalize
from mixtura.plot.theme.palette import segment_colors
from mixtura.plot.vega import Datasets
from mixtura.report.wording import count_text, ink_on, percent_text
from mixtura.segments import SegmentationResult, SegmentModel

if TYPE_CHECKING:
    from mixtura.segments.results.document import Document
    from mixtura.segments.results.document_profiles import SegmentPart

__all__ = ["notebook_card"]

_BOX = "border:1px solid #d3d8de;border-radius:10px;padding:14px 18px;max-width:760px;font-family:system-ui,sans-serif"


def notebook_card(model: SegmentModel, result: SegmentationResult | None) -> str:
    """Return HTML: a line per segment, and the profile chart.

    Without customers, or the library that their document needs, there are only names.

    Parameters
    ----------
    model : SegmentModel
    result : SegmentationResult or None
        None for a model that was loaded.
    """
    document = None if result is None else _outline(result)
    counted = "" if document is None else f" of {count_text(document.verdict.customers)} customers"
    noun = "segment" if model.n_segments == 1 else "segments"
    lines = [f'<div style="{_BOX}"><strong>{model.n_segments} {noun}{counted}</strong>']
    for k, color in enumerate(segment_colors(model.n_segments)):
        held = "" if document is None else _size(document.segments[k])
        disc = (
            f"display:inline-block;min-width:1.5em;text-align:center;border-radius:1em;font-weight:bold;"
            f"background:{color};color:{ink_on(color)}"
        )
        lines.append(
            f'<div style="margin:4px 0"><span style="{disc}">{k + 1}</span> {html.escape(model.names[k])}{held}</div>'
        )
    return "".join([*lines, "" if document is None else _picture(document), "</div>"])


def _outline(result: SegmentationResult) -> Document | None:
    try:
        return result.outline
    except OptionalDependencyError:
        return None


def _size(segment: SegmentPart) -> str:
    return f" <small>{count_text(segment.count)} ({percent_text(segment.share)})</small>"


def _picture(document: Document) -> str:
    datasets: Datasets = {}
    chart = finalize(profile_chart(profiles_of_document(document), datasets), datasets)
    try:
        svg = render_svg(chart)
    except OptionalDependencyError:
        return ""
    # As an image, nothing in it can run, whatever the table's texts are.
    encoded = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="Means of the columns in each segment" style="max-width:100%;margin-top:8px" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )
