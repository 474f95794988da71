"""`python -m alula` is `alula`."""

from __future__ import annotations

from alula.cli import main

if __name__ == "__main__":
    main.entry()
