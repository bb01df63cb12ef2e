"""How certain memberships are."""
