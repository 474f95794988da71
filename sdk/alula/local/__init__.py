"""The local runner: a workflow on this machine, with the same values, cache keys and retries as on a cluster.

    api          what others call            run          puts one run together
    options, inputs                          how it is run, and what it is given
    plan         what the walk goes over
    drive/       when a task is tried, tried again, given up; the serial and the threaded driver; what is reported
    work/        one attempt, here or in a worker process; frames and files between tasks
    store/       where data is kept, the cache, why a task ran after all, the run's records

Which task may start at all, the contract's walk decides. Imports nothing of the display unless asked to show the run.
"""
