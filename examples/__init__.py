"""Projects that are run, registered and compiled by the tests."""
