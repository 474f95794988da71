"""Our kinds on a real API server: what it takes, what it refuses, and what it gives back."""
