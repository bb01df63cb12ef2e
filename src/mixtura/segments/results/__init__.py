"""The result of a segmentation: its notes, its summary, its files."""
