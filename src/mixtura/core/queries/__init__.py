"""Passes as aggregate queries of a database, in expressions: what kernels compute of rows in memory."""
