"""Process pods, from the switches that tests hold down to the process; and real pods as they are watched."""
