"""Initialization by model-based agglomerative clustering."""
