"""A segmentation as a page and as a workbook: the document of the result, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.report.charts import Chart, draw_charts
    from mixtura.report.drift_page import draw_drift, render_drift
    from mixtura.report.glossary import GLOSSARY
    from mixtura.report.presentation import REPORT, Report
    from mixtura.report.render import render_report
    from mixtura.report.workbook import write_workbook

__all__ = [
    "GLOSSARY",
    "REPORT",
    "Chart",
    "Report",
    "draw_charts",
    "draw_drift",
    "render_drift",
    "render_report",
    "write_workbook",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "charts": "Chart draw_charts",
            "drift_page": "draw_drift render_drift",
            "glossary": "GLOSSARY",
            "presentation": "REPORT Report",
            "render": "render_report",
            "workbook": "write_workbook",
        },
    )
