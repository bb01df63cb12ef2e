"""Parts of a component beside the Gaussian one: discrete columns."""
