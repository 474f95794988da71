"""The resources `Workflow`, `LaunchPlan` and `Domain`: models, CRDs, and the one canonical YAML writer."""
