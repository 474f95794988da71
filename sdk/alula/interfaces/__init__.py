"""What tasks and workflows take and return: read from signatures, and the same for everything that can be called."""
