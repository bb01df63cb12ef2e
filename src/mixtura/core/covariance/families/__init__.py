"""The covariance families, one file each."""
