"""What is done in one attempt of a local run, here or in a worker process, and what passes from task to task."""
