"""What every room needs, and no domain words."""
