"""What a model has become."""
