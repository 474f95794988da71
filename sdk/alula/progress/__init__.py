"""What a run reports while it goes on and at its end, for whatever shows it: a terminal, a test, another tool.

    reports      one value a node, and the run's own       watchers     what is called as things happen
    current      the node that runs in this thread         clocks       the time that all of it is measured in

Local runs and the view of a remote run make these values; `alula.display` renders them. Knows neither.
"""
