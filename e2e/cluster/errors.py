"""What can go wrong in the harness, as seen by a test or a person."""


class Unavailable(Exception):
    """This machine lacks something the cluster needs; the message is the one reason to show."""


class ClusterError(Exception):
    """A server of the cluster did not start, died, or refused what the harness asked."""
