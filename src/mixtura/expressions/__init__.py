"""Arithmetic on one row as expressions, and how dialects of SQL write them."""
