"""Workflows traced into static graphs: promises, bindings, nodes, and the checks of every edge."""
