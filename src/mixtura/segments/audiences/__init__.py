"""Lists of customers for campaigns."""
