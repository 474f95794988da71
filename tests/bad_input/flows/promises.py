from alula import task, workflow


@task
def score(n: int) -> float:
    return n / 10


@task
def scores(n: int) -> list[float]:
    return [n / 10]


@task
def report(text: str) -> str:
    return text


@workflow
def in_an_if(n: int) -> float:
    first = score(n)
    if first > 0.5:
        return first
    return score(n)


@workflow
def in_an_f_string(n: int) -> str:
    return report(f"the score is {score(n):.2f}")


@workflow
def in_a_loop(n: int) -> float:
    best = 0.0
    for each in scores(n):
        best = max(best, each)
    return best


@workflow
def in_a_sum(n: int) -> float:
    return score(n) + score(n)


@workflow
def in_several_ways(n: int) -> str:
    first = score(n)
    print(first)
    text = "good" if first else "bad"
    return report(text + str(first))
