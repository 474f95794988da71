"""`python -m alula_controller`: settings from the environment, logs to stderr, then the loop until SIGTERM.

Exits 0 when it was told to stop, 1 when a part ended (Kubernetes starts it anew), 2 when it cannot be started as it is.
"""

from __future__ import annotations

import os
import sys

EXTRA = ("kopf", "kubernetes", "aiohttp", "prometheus_client", "obstore")


def main() -> int:
    """Run the controller; the exit code."""
    try:
        from alula_controller import main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in EXTRA:
            raise
        sys.stderr.write(f"alula_controller needs {error.name}: pip install 'alula[controller]'\n")
        return 2
    return main.start(os.environ)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that wait for a store or for kopf hold up no stop
