"""Which columns of a table build its segments."""
