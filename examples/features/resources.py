"""What a task asks of the cluster: processors, memory, an accelerator, scratch space."""

from alula import Resources, task, workflow


@task(resources=Resources(cpu=("500m", "2"), memory=("1Gi", "4Gi"), ephemeral_storage="10Gi"))
def prepare(rows: int) -> int:
    """Needs half a processor and may use two."""
    return rows * 2


@task(resources=Resources(cpu="4", memory="16Gi", gpu=1))
def train(rows: int) -> float:
    """Needs a GPU: `nvidia.com/gpu`, requested and limited alike."""
    return rows / 10


@workflow
def trained(rows: int = 50) -> float:
    """Prepare on a small machine and train on a large one."""
    return train(prepare(rows))
