"""One attempt of one task, the same in a pod and on a laptop.

    invoke      from JSON to JSON through the user's function
    cache       the key, the entry, what of a result travels inline
    failures    what an exception means, and its record
    errors      the exception by which alula itself ends an attempt
    redact      how a failure is worded, without secrets

Called by `alula.runtime` and `alula.local`; it knows neither of them.
"""
