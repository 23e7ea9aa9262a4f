"""What changes supply and demand: one module per noun."""
