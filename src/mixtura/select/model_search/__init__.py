"""The search over covariance families and numbers of components."""
