"""Transforms of skewed columns, and the scaling of all."""
