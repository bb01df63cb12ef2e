"""What a sample of rows is made of: equal rows as one, outliers left out."""
