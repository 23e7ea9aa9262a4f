"""What changes people, organisations and regions: one module per noun."""
