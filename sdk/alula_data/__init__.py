"""Object stores, content-addressed data and the cache index: for the pod, the local runner and the controller."""
