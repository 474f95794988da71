"""What is "in the image" of the engine's tests: a package that shadows alula by PYTHONPATH."""
