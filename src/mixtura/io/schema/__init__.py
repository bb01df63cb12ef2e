"""What files hold, as pydantic checks it."""
