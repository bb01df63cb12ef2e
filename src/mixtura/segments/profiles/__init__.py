"""What segments are like, compared with all customers."""
