"""The operator: compiles definitions, admits runs."""
