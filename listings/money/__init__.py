"""Money of sharing, pure: whole fen in and out, decimals in between, every result with its working."""
