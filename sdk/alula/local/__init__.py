"""The local runner: a workflow on this machine, with the same values, cache keys and retries as on a cluster.

    api          what others call            run          puts one run together
    options, inputs                          how it is run, and what it is given
    plans        the graph as flat steps     reporting    what happens, as reports of its nodes
    drive/       which step may start, be tried again, time out; the serial and the threaded driver
    work/        one attempt, here or in a worker process; frames and files between tasks
    store/       where data is kept, the cache, why a task ran after all, the run's records

Imports nothing of the display unless asked to show the run.
"""
