"""What can be seen in a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

__all__ = ["near", "pixels"]


def pixels(picture: bytes) -> np.ndarray:
    """Return red, green and blue from 0 to 255, of shape (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB")).astype(int)


def near(image: np.ndarray, color: str, tolerance: int = 25) -> int:
    """Count the pixels that differ from a color, such as ``#0072B2``, by less than the tolerance."""
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(image - wanted).max(axis=2) < tolerance).sum())
