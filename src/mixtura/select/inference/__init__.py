"""Cross-validation and bootstraps."""
