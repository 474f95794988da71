"""Object stores: the protocol and one module for each way to keep objects.

`opening.open_store` chooses the module by the URL's scheme and is what everybody calls; each module loads its client
library on first use, so that a pod on a local folder pays for none.
"""
