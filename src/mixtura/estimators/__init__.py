"""scikit-learn faces: validate, call, copy results to attributes."""

from mixtura.estimators.gaussian_mixture import GaussianMixture
from mixtura.estimators.gaussian_mixture_ic import GaussianMixtureIC
from mixtura.estimators.kmeans import KMeans

__all__ = ["GaussianMixture", "GaussianMixtureIC", "KMeans"]
