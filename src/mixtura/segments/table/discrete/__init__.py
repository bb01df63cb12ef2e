"""Columns of few values: what kind each is, and its levels."""
