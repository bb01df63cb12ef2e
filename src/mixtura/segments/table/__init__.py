"""Which columns of a table are used, in which role, and its complete rows as numbers."""
