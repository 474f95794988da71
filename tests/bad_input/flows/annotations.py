import re

from alula import task, workflow


@task
def find(pattern: re.Pattern, text) -> bool:
    return bool(pattern.search(text))


@task
def count(text: str):
    return len(text)


@workflow
def search(text: str):
    return find(text, text)
