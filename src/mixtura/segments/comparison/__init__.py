"""Segments compared with K-means, and partitions with each other."""
