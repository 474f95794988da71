"""One meaning, however a workflow is run: small workflows with the outcome that each must have."""
