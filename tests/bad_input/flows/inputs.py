import datetime
import enum
from dataclasses import dataclass, field
from typing import Literal

from alula import File, LaunchPlan, task, workflow


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@dataclass
class Order:
    amount: int
    tags: list[str] = field(default_factory=list)


@task
def price(order: Order, size: Size) -> float:
    return order.amount * (1.5 if size is Size.LARGE else 1.0)


@workflow
def sell(
    order: Order,
    table: File["csv"],
    gift: bool,
    size: Size = Size.SMALL,
    speed: Literal["slow", "fast"] = "slow",
    discount: float | None = None,
    day: datetime.date = datetime.date(2026, 1, 31),
    every: datetime.timedelta = datetime.timedelta(hours=1),
) -> float:
    """Sell something.

    Args:
        order: What is sold.
    """
    return price(order, size)


gifts = LaunchPlan("gifts", sell, fixed_inputs={"gift": True})
