"""Segments of several components: which overlap so much that they are one group, and their parts put together."""
