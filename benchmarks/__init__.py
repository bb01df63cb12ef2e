"""One module per question; each asserts that the answers are equal before it tells a ratio."""
