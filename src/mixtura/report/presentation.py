"""Picture, page and workbook of a result, as deliveries ask for them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from mixtura.segments import SegmentationResult

__all__ = ["REPORT", "Report"]


class Report:
    """The report of mixtura; a `mixtura.segments.Presentation`. What draws is loaded when it is first needed."""

    def ready(self) -> AbstractContextManager[Any]:
        """Start the process that renders pictures, and stop it at the end."""
        from mixtura.plot import warm_up

        return warm_up()

    def picture(self, result: SegmentationResult) -> bytes:
        """Return the overview of the segments as PNG."""
        from mixtura.plot import draw_segments

        return draw_segments(result)

    def page(self, result: SegmentationResult) -> str:
        """Return the page as HTML."""
        from mixtura.plot.data.plot_data import plot_data
        from mixtura.report.charts import draw_charts
        from mixtura.report.render import render_report

        document = result.document
        return render_report(document, draw_charts(document, plot_data(result)))

    def workbook(self, result: SegmentationResult, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the report as a workbook."""
        from mixtura.report.workbook import write_workbook

        write_workbook(result.document, path, result.assignment, overwrite=overwrite)


REPORT = Report()
