"""The code of the user's project: where it lives, how it is imported, and what of it counts for the cache."""
