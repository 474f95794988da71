"""The command line: `main` with one module a command. A command's module is imported only when it is called."""
