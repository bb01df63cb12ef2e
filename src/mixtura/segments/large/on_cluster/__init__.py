"""Tables that workers of a Dask cluster read, fit and write, and that never come here."""

from mixtura.segments.large.on_cluster.segment_on_cluster import segment_on_cluster

__all__ = ["segment_on_cluster"]
