"""Whether segments are found again in resamples."""
