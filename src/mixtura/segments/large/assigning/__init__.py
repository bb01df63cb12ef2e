"""Customers assigned in parts: of sources that are read a batch at a time, and where rows of a cluster lie."""
