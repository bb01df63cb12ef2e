"""A segmentation as a page and as a workbook: numbers are collected once, and only drawn."""

from mixtura.report.charts import Chart, draw_charts
from mixtura.report.collect import collect, report_stability
from mixtura.report.glossary import GLOSSARY
from mixtura.report.render import render_report
from mixtura.report.workbook import write_workbook

__all__ = [
    "GLOSSARY",
    "Chart",
    "collect",
    "draw_charts",
    "render_report",
    "report_stability",
    "write_workbook",
]
