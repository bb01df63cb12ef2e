"""Which columns build the components: building, redundant, or noise."""
