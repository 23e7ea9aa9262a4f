"""Supply of national size, made up from a seed around real places: for benchmarks and for looking at full pages."""
