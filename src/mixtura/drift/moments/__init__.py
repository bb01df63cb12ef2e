"""Moments of the segments at two times, and what became of them."""
