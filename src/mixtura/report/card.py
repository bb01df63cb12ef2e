"""A segmentation as a small card in a notebook."""

from __future__ import annotations

import base64
import html

from mixtura.exceptions import OptionalDependencyError
from mixtura.plot import plot_profiles, render_svg
from mixtura.plot.export.export import specification
from mixtura.plot.theme.palette import segment_colors
from mixtura.report.wording import count_text, ink_on, percent_text
from mixtura.segments import SegmentationResult, SegmentModel

__all__ = ["notebook_card"]

_BOX = "border:1px solid #d3d8de;border-radius:10px;padding:14px 18px;max-width:760px;font-family:system-ui,sans-serif"


def notebook_card(model: SegmentModel, result: SegmentationResult | None) -> str:
    """Return HTML: a line per segment, and the profile chart where there are customers and a library that draws.

    Parameters
    ----------
    model : SegmentModel
    result : SegmentationResult or None
        None for a model that was loaded.
    """
    counted = "" if result is None else f" of {count_text(len(result.rows))} customers"
    noun = "segment" if model.n_segments == 1 else "segments"
    lines = [f'<div style="{_BOX}"><strong>{model.n_segments} {noun}{counted}</strong>']
    for k, color in enumerate(segment_colors(model.n_segments)):
        held = "" if result is None else _size(result, k)
        disc = (
            f"display:inline-block;min-width:1.5em;text-align:center;border-radius:1em;font-weight:bold;"
            f"background:{color};color:{ink_on(color)}"
        )
        lines.append(
            f'<div style="margin:4px 0"><span style="{disc}">{k + 1}</span> {html.escape(model.names[k])}{held}</div>'
        )
    return "".join([*lines, "" if result is None else _picture(result), "</div>"])


def _size(result: SegmentationResult, k: int) -> str:
    one = result.segments[k]
    return f" <small>{count_text(one.count)} ({percent_text(one.share)})</small>"


def _picture(result: SegmentationResult) -> str:
    try:
        svg = render_svg(specification(plot_profiles(result)))
    except OptionalDependencyError:
        return ""
    # As an image, nothing in it can run, whatever the table's texts are.
    encoded = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="Means of the columns in each segment" style="max-width:100%;margin-top:8px" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )
