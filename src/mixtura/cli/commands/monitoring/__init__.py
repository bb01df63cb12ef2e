"""Commands that are run again and again: what changed since."""
