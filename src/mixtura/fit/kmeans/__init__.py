"""K-means: Lloyd's algorithm and k-means++."""
