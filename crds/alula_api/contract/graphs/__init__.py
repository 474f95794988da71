"""What a graph is and how it proceeds: bindings, the stored plan, the walk. Stdlib only, no I/O, no clock."""
