"""Decorators inside a class."""

from alula import task


class Model:
    @task
    def fit(self: int) -> int:
        return self
