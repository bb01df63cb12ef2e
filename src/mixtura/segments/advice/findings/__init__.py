"""Findings about columns, the table and its structure, as the advice reports them."""
