"""How estimators are fitted, beside in one go."""
