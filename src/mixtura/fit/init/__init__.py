"""Ways to begin a fit; each is one class with one method, `draw`."""

from mixtura.fit.init.base import Deferred, Initialization, Start
from mixtura.fit.init.given import FromPartition
from mixtura.fit.init.kmeans import FromKMeans
from mixtura.fit.init.random import FromRandomResponsibilities
from mixtura.fit.init.rows import FromFarRows, FromRandomRows

__all__ = ["INITIALIZATIONS", "Deferred", "FromPartition", "Initialization", "Start"]

INITIALIZATIONS: dict[str, Initialization] = {
    "kmeans": FromKMeans(),
    "k-means++": FromFarRows(),
    "random": FromRandomResponsibilities(),
    "random_from_data": FromRandomRows(),
}
"""Every random initialization by the name that ``init_params`` uses."""
