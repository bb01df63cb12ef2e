"""Picture, page and workbook of a result, as deliveries ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.segments import SegmentationResult

if TYPE_CHECKING:
    from mixtura.report.charts import Chart

__all__ = ["REPORT", "Drawn", "Report"]


class Drawn:
    """A result that is being drawn by a thread; a `mixtura.segments.results.deliver.Drawing`.

    Charts of the customers are drawn at once, those of the outline once there is one (`outlined`), so that all of them
    are there when the resamples are.

    Parameters
    ----------
    result : SegmentationResult
    thread : ThreadPoolExecutor
    """

    def __init__(self, result: SegmentationResult, thread: ThreadPoolExecutor) -> None:
        from mixtura.plot.data.plot_data import plot_data
        from mixtura.report.charts import draw_customers

        self._result, self._thread = result, thread
        self._rows = thread.submit(plot_data, result)
        self._charts: list[Future[dict[str, Chart]]] = [
            thread.submit(lambda: draw_customers(self._rows.result()))
        ]
        self._picture: Future[bytes] = Future()

    def outlined(self) -> None:
        """Go on with the charts of the outline, and the picture."""
        from mixtura.plot.charts.segments import draw_chart
        from mixtura.plot.data.scores import scores_of_document
        from mixtura.report.charts import draw_outline

        outline, submit = self._result.outline, self._thread.submit
        self._charts.append(submit(lambda: draw_outline(outline, self._rows.result())))
        self._picture = submit(lambda: draw_chart(self._rows.result(), scores_of_document(outline)))

    def picture(self) -> bytes:
        """Return the overview of the segments as PNG."""
        return self._picture.result()

    def page(self) -> str:
        """Return the page as HTML."""
        from mixtura.report.charts import draw_transitions
        from mixtura.report.render import render_report

        document = self._result.document
        # The renderer draws in the order of asking: what is missing comes after all other charts.
        missing = draw_transitions(document)
        charts: dict[str, Chart] = {}
        for drawn in self._charts:
            charts |= drawn.result()
        return render_report(document, charts | missing)


class Report:
    """The report of mixtura; a `mixtura.segments.Presentation`. What draws is loaded when it is first needed."""

    def ready(self) -> AbstractContextManager[Any]:
        """Start the process that renders pictures, and stop it at the end."""
        from mixtura.plot import warm_up

        return warm_up()

    @contextmanager
    def drawing(self, result: SegmentationResult) -> Iterator[Drawn]:
        """Start to draw what needs the customers alone."""
        with ThreadPoolExecutor(1, thread_name_prefix="mixtura-drawing") as thread:
            try:
                yield Drawn(result, thread)
            except BaseException:
                # What nobody will see need not be drawn.
                thread.shutdown(wait=False, cancel_futures=True)
                raise

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
