"""Results in, pictures out."""

from mixtura.plot.entropy import draw_entropy, plot_entropy
from mixtura.plot.picture import draw_segments
from mixtura.plot.render import warm_up
from mixtura.plot.selection import draw_criterion, plot_criterion

__all__ = ["draw_criterion", "draw_entropy", "draw_segments", "plot_criterion", "plot_entropy", "warm_up"]
