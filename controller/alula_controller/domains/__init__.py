"""Where a namespace keeps its data and what its Domain says."""
