"""The document of a drift: everything that terminal, page and monitoring show of change over time."""
