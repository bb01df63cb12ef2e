"""Starts for rows some of which are known to belong to a component."""
