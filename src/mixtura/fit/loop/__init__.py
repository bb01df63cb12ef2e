"""The one loop: steps, stopping rules, the trace, the result."""
