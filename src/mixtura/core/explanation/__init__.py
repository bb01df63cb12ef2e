"""Why a row is strange to a mixture."""
