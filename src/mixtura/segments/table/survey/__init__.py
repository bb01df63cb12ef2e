"""What survey files say of their columns: weights, measurement levels, codes of missing values."""
