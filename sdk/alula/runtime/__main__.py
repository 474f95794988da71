"""The pod's entry point. It imports nothing before it runs, so that a broken installation still says what is wrong."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the attempt that the arguments and the environment describe."""
    import gc
    import os

    from alula.runtime import lazy_inspect

    gc.disable()  # nothing that is made while modules load is garbage; the user's function runs with it on
    lazy_inspect.defer("inspect")
    from alula.runtime import running

    return running.run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
