"""Steps of the loop: EM, and EM accelerated by extrapolation."""
