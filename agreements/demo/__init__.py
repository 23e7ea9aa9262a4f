"""The demonstration world: real places out of packages, everything else made up from a seed, and said so."""
