"""The pod: `python -m alula.runtime` runs one attempt of one task and leaves outputs or a failure behind.

    running              the way of an attempt from its arguments to its exit code
    attempts             what the environment says of it, and how far it has come
    loading              the user's code into the pod, and its task object
    inputs, outputs      as they travel, and the files that Argo reads
    signals              timeouts, and SIGTERM
    failure_report       reports a failure: `logs`, `termination_message`, `failure_records`

The cache, and what a failure means, are `alula.attempt`'s.

Start-up is what every task of every run pays: modules load on first use, the store only when something lies in it.
"""
