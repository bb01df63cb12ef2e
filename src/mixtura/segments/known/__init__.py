"""Customers whose segment is known, and segments that are kept: how they are read, and what became of them."""
