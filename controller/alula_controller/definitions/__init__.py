"""Definitions: Workflows with their LaunchPlans, and Domains. `gather` reads, `decide` decides (pure), `apply`
writes."""
