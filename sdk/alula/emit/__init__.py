"""From traced definitions to files in git: resources, the release folder, the code bundle.

Called by the command line (`alula register`, `alula compile FILE`) and by tests. Knows nothing of Argo: that is the
compiler's, and what is emitted here holds no namespace, domain, bucket or location of data.
"""
