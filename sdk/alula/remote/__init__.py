"""Starts runs on a cluster and follows them: `alula run --remote`. The only place in the SDK that loads kubernetes.

A run is an Argo Workflow made from a compiled WorkflowTemplate; what may run is decided by the cluster's own resources.
"""
