"""Models that are kept up to date, and models of several sites: sums are added, rows stay where they are."""
