"""A segmentation as a page and as a workbook: the document of the result, drawn."""

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
