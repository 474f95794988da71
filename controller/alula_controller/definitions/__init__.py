"""Definitions: Workflows with their LaunchPlans, and Domains. `gathering` reads, `deciding` decides (pure), `applying`
writes."""
