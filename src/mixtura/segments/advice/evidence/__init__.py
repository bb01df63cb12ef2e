"""Statistical evidence: unimodality, normality, clusterability, density, hierarchy."""
