"""Results in, pictures out: every ``plot_`` function returns an Altair chart, every ``draw_`` function a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.plot.charts.anomalies import plot_anomalies
    from mixtura.plot.charts.confusion import plot_confusion
    from mixtura.plot.charts.convergence import plot_convergence
    from mixtura.plot.charts.criterion import draw_criterion, plot_criterion
    from mixtura.plot.charts.density import plot_density, plot_uncertainty
    from mixtura.plot.charts.entropy import draw_entropy, plot_entropy
    from mixtura.plot.charts.flow import plot_flow
    from mixtura.plot.charts.marginals import plot_marginals
    from mixtura.plot.charts.profiles import plot_profiles
    from mixtura.plot.charts.scatter import plot_scatter
    from mixtura.plot.charts.segments import draw_segments, plot_segments
    from mixtura.plot.charts.shares import plot_shares
    from mixtura.plot.charts.side_by_side import side_by_side
    from mixtura.plot.data.plot_data import PlotData, plot_data
    from mixtura.plot.export.export import render_svg, save_chart, warm_up, with_theme
    from mixtura.plot.theme.style import THEMES

__all__ = [
    "THEMES",
    "PlotData",
    "draw_criterion",
    "draw_entropy",
    "draw_segments",
    "plot_anomalies",
    "plot_confusion",
    "plot_convergence",
    "plot_criterion",
    "plot_data",
    "plot_density",
    "plot_entropy",
    "plot_flow",
    "plot_marginals",
    "plot_profiles",
    "plot_scatter",
    "plot_segments",
    "plot_shares",
    "plot_uncertainty",
    "render_svg",
    "save_chart",
    "side_by_side",
    "warm_up",
    "with_theme",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "charts.anomalies": "plot_anomalies",
            "charts.confusion": "plot_confusion",
            "charts.convergence": "plot_convergence",
            "charts.criterion": "draw_criterion plot_criterion",
            "charts.density": "plot_density plot_uncertainty",
            "charts.entropy": "draw_entropy plot_entropy",
            "charts.flow": "plot_flow",
            "charts.marginals": "plot_marginals",
            "charts.profiles": "plot_profiles",
            "charts.scatter": "plot_scatter",
            "charts.segments": "draw_segments plot_segments",
            "charts.shares": "plot_shares",
            "charts.side_by_side": "side_by_side",
            "data.plot_data": "PlotData plot_data",
            "export.export": "render_svg save_chart warm_up with_theme",
            "theme.style": "THEMES",
        },
    )
