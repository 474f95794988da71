from alula import task, workflow


@task
def count(text: str) -> int:
    return len(text)


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def label(text: str = "penguin") -> str:
    return shout(count(text))
