"""Scores of fitted mixtures: information criteria and held-out log-likelihood."""
