"""Typing tools: a few questions that assign new people to the segments of a model."""
