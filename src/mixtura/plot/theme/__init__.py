"""Colors, type, encodings and texts that all charts share."""
