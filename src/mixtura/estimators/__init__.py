"""scikit-learn faces: validate, call, copy results to attributes."""

from mixtura.estimators.gaussian_mixture import GaussianMixture

__all__ = ["GaussianMixture"]
