"""Typed, static workflows for git."""
