"""Terms of the density of a row beside Gaussian components: noise, and the tails of t distributions."""
