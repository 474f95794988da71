"""What a local run keeps: where its data lies, the cache and why it missed, the record of the run."""
