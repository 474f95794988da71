"""What everything agrees on: the contract (values, keys, names) and the kinds (resources). Imports nothing itself."""
