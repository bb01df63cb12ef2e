"""Charts to PNG and SVG."""
