"""The servers of the end-to-end tests, built from published Go modules: see `python -m e2e.servers`."""
