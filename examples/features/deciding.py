"""Each site of a list goes its own way: over its own probes, and by what it says of itself."""

from dataclasses import dataclass

from alula import conditional, map_task, task, workflow


@dataclass
class Site:
    """A site, with the probes that it has today."""

    name: str
    probes: list[float]
    trusted: bool


@task(cache=True)
def sites(day: str) -> list[Site]:
    """List the sites of a day; the last one has no probes yet."""
    found = {"north": [1.5, 2.0, 2.5], "south": [8.0], "west": []}
    return [Site(f"{day} {name}", probes, trusted=name != "south") for name, probes in found.items()]


@task(cache=True)
def calibrate(probe: float, offset: float) -> float:
    """Take out what a probe is off by."""
    return probe - offset


@task(cache=True)
def mean(probes: list[float]) -> float:
    """Average the probes; 0 where there are none."""
    return sum(probes) / max(len(probes), 1)


@task(cache=True)
def note(site: Site, degrees: float) -> str:
    """Say what a site measured."""
    return f"{site.name}: {degrees:.1f}"


@task
def doubt(site: Site) -> str:
    """Ask for a look at a site."""
    return f"{site.name}: look at it"


@workflow
def station(site: Site) -> str:
    """Go over the probes of a site, and report on it as far as it is trusted."""
    degrees = mean(map_task(calibrate)(site.probes, offset=0.5))
    return conditional("report").if_(site.trusted).then(note(site, degrees)).else_().then(doubt(site))


@workflow
def network(day: str = "monday") -> list[str]:
    """Report on every site of a day."""
    return map_task(station)(sites(day))
