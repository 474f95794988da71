"""Compiled objects on the real engine: the API server takes them, and Argo does with them what we think it does."""
