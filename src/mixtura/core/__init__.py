"""The mathematics of a mixture: values and sums; no loops over rows, no threads, no files."""
