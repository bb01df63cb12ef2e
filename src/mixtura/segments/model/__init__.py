"""The segment model: build it, name its segments, assign customers."""
