"""Colors that are distinguishable with any color vision."""

from __future__ import annotations

import numpy as np

from mixtura._typing import FloatArray

__all__ = ["SHAPES", "blend", "segment_colors"]

# Okabe and Ito (2008), without black and with the yellow last because it is pale on white; then the colors that are
# farthest from all before them, for normal, protanopic and deuteranopic eyes (Machado et al. 2009), neither pale nor
# dark nor glaring.
_COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D31", "#F0E442",
    "#AAD480", "#005555", "#6A80FF", "#EABFBF", "#0055BF", "#80D4EA", "#2A552A", "#802A80",
)  # fmt: skip

SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
"""One per structure of covariances, so that curves differ by more than color."""


def segment_colors(n_segments: int) -> tuple[str, ...]:
    """Return a color per segment, the same for a segment's number whatever their count.

    Sixteen are different; from the seventeenth on they repeat, and numbers in the charts distinguish them.
    """
    return tuple(_COLORS[k % len(_COLORS)] for k in range(n_segments))


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
    >>> from mixtura.plot.theme.palette import blend
    >>> blend(np.array([[1.0, 0.0], [0.5, 0.5]]), ("#000000", "#FFFFFF"))
    ['#000000', '#BCBCBC']
    """
    values = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 255
    # sRGB to linear light and back (IEC 61966-2-1).
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(memberships @ linear, 0, 1)
    coded = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in np.rint(coded * 255).astype(int)]
