"""What is asked of Spark: to run functions where rows are, to keep what they make, and to let it go."""
