"""Measurements, one module each, run by script/bench NAME. Each prints one table and leaves the database as it was."""
