"""Colors that people with any color vision can tell apart."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["INK", "SHAPES", "blend", "segment_colors"]

INK = "#333333"
"""Text, frames, what is no data."""

# Okabe and Ito (2008), without black and with the yellow last because it is pale on white.
_FEW = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D31", "#F0E442")
# Tol (2021), "muted", for up to nine.
_MANY = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499",
)  # fmt: skip

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
"""One per structure of covariances, so that color is not all that tells their curves apart."""


def segment_colors(n_segments: int) -> tuple[str, ...]:
    """Return a color per segment; from the tenth on they come again, and the numbers in the picture tell them apart."""
    colors = _FEW if n_segments <= len(_FEW) else _MANY
    return tuple(colors[k % len(colors)] for k in range(n_segments))


def blend(memberships: FloatArray, colors: tuple[str, ...]) -> list[str]:
    """Return one color per row: the segments' colors mixed like light, in the shares of the memberships.

    Parameters
    ----------
    memberships : ndarray of shape (N, K)
        Rows sum to one.
    colors : tuple of str, length K
        As ``#RRGGBB``.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.plot.palette import blend
    >>> blend(np.array([[1.0, 0.0], [0.5, 0.5]]), ("#000000", "#FFFFFF"))
    ['#000000', '#BCBCBC']
    """
    values = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 255
    # sRGB to linear light and back (IEC 61966-2-1).
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(memberships @ linear, 0, 1)
    coded = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in np.rint(coded * 255).astype(int)]
