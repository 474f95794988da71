from alula import File, task, workflow


@task(cache=True)
def write(text: str) -> File["txt"]:
    file = File.new("note.txt")
    file.path.write_text(text)
    return file


@task
def measure(note: File["txt"]) -> int:
    return len(note.read_text())


@workflow
def note(text: str = "hello") -> int:
    return measure(write(text))
