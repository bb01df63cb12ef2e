"""Inner iterations of M-steps: parts of the algebra's twin in NumPy."""
