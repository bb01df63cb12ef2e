"""Model-based agglomeration: the twin in NumPy that defines it."""
