"""Text tables: their dialect, header, encoding and types, and how they are read in parts."""
