"""The main road: a typed pipeline goes through git to pods, and its second run is all cached."""
