"""What runners on clusters share: passes that travel, and states that are made where the rows are."""
