"""What log densities say of a change."""
