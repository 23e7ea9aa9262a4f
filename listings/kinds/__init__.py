"""What differs between the four kinds: one module each, the tables together in models.py."""
