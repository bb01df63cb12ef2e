"""Results in, pictures out."""

from mixtura.plot.picture import draw_segments
from mixtura.plot.render import warm_up

__all__ = ["draw_segments", "warm_up"]
