"""Workflows that are wrong, each file one kind of mistake; the `.txt` beside it holds what alula says about them."""
