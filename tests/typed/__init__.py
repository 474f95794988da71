"""What type checkers and linters make of code that uses alula."""
