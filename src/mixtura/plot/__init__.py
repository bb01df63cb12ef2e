"""Results in, pictures out: every ``plot_`` function returns an Altair chart, every ``draw_`` function a PNG."""

from mixtura.plot.charts.entropy import draw_entropy, plot_entropy
from mixtura.plot.charts.maps import (
    plot_anomalies,
    plot_density,
    plot_marginals,
    plot_profiles,
    plot_scatter,
    plot_uncertainty,
)
from mixtura.plot.charts.overview import draw_segments, plot_segments
from mixtura.plot.charts.selection import draw_criterion, plot_criterion
from mixtura.plot.charts.table_charts import plot_confusion, plot_convergence, plot_flow
from mixtura.plot.export.export import render_svg, save_chart, warm_up, with_theme
from mixtura.plot.theme.style import THEMES

__all__ = [
    "THEMES",
    "draw_criterion",
    "draw_entropy",
    "draw_segments",
    "plot_anomalies",
    "plot_confusion",
    "plot_convergence",
    "plot_criterion",
    "plot_density",
    "plot_entropy",
    "plot_flow",
    "plot_marginals",
    "plot_profiles",
    "plot_scatter",
    "plot_segments",
    "plot_uncertainty",
    "render_svg",
    "save_chart",
    "warm_up",
    "with_theme",
]
