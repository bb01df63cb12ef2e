"""How covariances are stored: as matrices or as variances."""
