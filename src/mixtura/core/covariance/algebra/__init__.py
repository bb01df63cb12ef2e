"""Volumes, rotations and constraints that families share."""
