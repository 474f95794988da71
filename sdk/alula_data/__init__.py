"""Object stores, content-addressed data and the cache index: for the pod, the local runner and the controller.

```
stores/      the protocol of a store, and one module for each way to keep objects
errors       what goes wrong with them        retries     trying again
content      files and values by their digest
caches       the cache index                  bundles     the user's code as an archive
```
Importing the package loads none of them.
"""
