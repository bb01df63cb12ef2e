"""Results in, pictures out."""

from mixtura.plot.picture import draw_segments
from mixtura.plot.render import warm_up
from mixtura.plot.selection import draw_criterion, plot_criterion

__all__ = ["draw_criterion", "draw_segments", "plot_criterion", "warm_up"]
