"""End-to-end tests: the whole road on real servers, started by `e2e.cluster`."""
