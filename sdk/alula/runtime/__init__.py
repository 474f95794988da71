"""The pod: `python -m alula.runtime` runs one attempt of one task and leaves outputs or a failure behind.

    running      the way of an attempt from its arguments to its exit code
    places       what the environment says           logs        our few lines on stderr
    bundling     the user's code into the pod        loading     its task object
    arriving     inputs as they travel, and loaded   departing   outputs, and the files that Argo reads
    remembering  the cache
    failing      what a failure means                reporting   where it is told
    ending       timeouts, and signals from outside

Start-up is what every task of every run pays: modules load on first use, the store only when something lies in it.
"""
