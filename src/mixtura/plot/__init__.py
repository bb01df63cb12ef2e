"""Results in, pictures out: every ``plot_`` function returns an Altair chart, every ``draw_`` function a PNG."""

from mixtura.plot.entropy import draw_entropy, plot_entropy
from mixtura.plot.maps import (
    plot_anomalies,
    plot_density,
    plot_marginals,
    plot_profiles,
    plot_scatter,
    plot_uncertainty,
)
from mixtura.plot.picture import draw_segments, plot_segments
from mixtura.plot.render import save_chart, warm_up, with_theme
from mixtura.plot.selection import draw_criterion, plot_criterion
from mixtura.plot.style import THEMES
from mixtura.plot.tables import plot_confusion, plot_convergence, plot_flow

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
    "save_chart",
    "warm_up",
    "with_theme",
]
