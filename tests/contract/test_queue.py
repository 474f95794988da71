"""Who may start, who follows, and why each waits: examples, and what holds for every queue."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alula_api.contract import queue
from alula_api.contract.queue import LabelLimit, Quota, Run, Terms, choose

NOW = 1000.0


def run(uid: str, created: float = 0.0, plan: str = "", **rest: object) -> Run:
    return Run(uid, uid, created, plan, **rest)  # type: ignore[arg-type]


def admitted(*runs: Run, quota: Quota, now: float = NOW) -> list[str]:
    return [each.uid for each in choose(runs, (), quota, now).admit]


def test_the_oldest_comes_first() -> None:
    assert admitted(run("b", 2), run("a", 1), run("c", 3), quota=Quota(running=2)) == ["a", "b"]


def test_what_is_admitted_or_intended_counts() -> None:
    runs = [run("a", admitted=True), run("b"), run("c")]
    choice = choose(runs, ["b"], Quota(running=3), NOW)
    assert [each.uid for each in choice.admit] == ["c"]
    assert choose(runs, ["b"], Quota(running=2), NOW).waiting[0].reason == "2 of 2 runs of the domain are running"


def test_a_higher_priority_comes_first_whatever_its_age_and_is_cut_to_what_the_domain_allows() -> None:
    urgent = Terms(priority=9)
    runs = [run("old", 1), run("urgent", 9, "p", terms=urgent), run("own", 8, priority=5)]
    assert admitted(*runs, quota=Quota(running=2)) == ["urgent", "own"]
    assert admitted(*runs, quota=Quota(running=3, max_priority=0)) == ["old", "urgent", "own"]
    assert admitted(*runs, quota=Quota(running=3, max_priority=5)) == ["own", "urgent", "old"]


def test_shares_of_one_priority_take_turns_by_their_weight_and_by_what_they_run_already() -> None:
    def of(plan: str, count: int, weight: int = 1) -> list[Run]:
        return [run(f"{plan}{n}", n, plan, terms=Terms(weight=weight)) for n in range(count)]

    assert admitted(*of("a", 9), *of("b", 2), quota=Quota(running=5)) == ["a0", "b0", "a1", "b1", "a2"]
    heavy = admitted(*of("a", 9, weight=3), *of("b", 9), quota=Quota(running=8))
    assert (sum(each[0] == "a" for each in heavy), sum(each[0] == "b" for each in heavy)) == (6, 2)
    busy = [replace(each, uid=f"{each.uid}-runs", admitted=True) for each in of("a", 2)]
    assert admitted(*busy, *of("a", 3), *of("b", 3), quota=Quota(running=5)) == ["b0", "b1", "a0"]


def test_runs_without_a_plan_share_between_people() -> None:
    crowd = [run(f"crowd{n}", n, person="x") for n in range(5)]
    assert admitted(*crowd, run("other", 9, person="y"), quota=Quota(running=2)) == ["crowd0", "other"]


def test_a_plan_that_skips_ends_what_is_beyond_its_limit_and_nothing_that_only_waits_for_the_domain() -> None:
    one = Terms(running=1, policy="Skip")
    running, late, later = (run(f"p{n}", n, "p", terms=one, admitted=not n) for n in range(3))
    choice = choose([running, late, later, run("free", 4)], (), Quota(running=5), NOW)
    assert [each.uid for each in choice.admit] == ["free"]
    reason = "skipped: 1 of 1 runs of launch plan p are running"
    assert [(each.uid, why) for each, why in choice.skip] == [("p1", reason), ("p2", reason)]
    assert (choice.refuse, choice.waiting) == ((), ())
    full = choose([late, later, run("other", admitted=True)], (), Quota(running=1), NOW)
    assert (full.skip, [each.run.uid for each in full.waiting]) == ((), ["p1", "p2"])
    both = choose([late, later], (), Quota(running=5), NOW)
    assert ([each.uid for each in both.admit], [each.uid for each, _ in both.skip]) == (["p1"], ["p2"])
    forced = choose([running, replace(late, forced=True)], (), Quota(running=5), NOW)
    assert [each.uid for each in forced.admit] == ["p1"]


def test_a_plan_that_replaces_keeps_its_newest_runs_and_ends_the_others_held_or_not() -> None:
    one = Terms(running=1, policy="Replace")
    old, newer, newest = (run(f"p{n}", n, "p", terms=one, admitted=not n) for n in range(3))
    choice = choose([newest, old, newer, run("free", 4)], (), Quota(running=5), NOW)
    reason = "replaced: p2 is newer, and launch plan p runs 1 at a time"
    assert sorted((each.uid, why) for each, why in choice.replace) == [("p0", reason), ("p1", reason)]
    assert [each.uid for each in choice.admit] == ["free"]
    assert [(each.run.uid, each.reason) for each in choice.waiting] == [
        ("p2", "1 of 1 runs of launch plan p are running")
    ]
    stopped = choose([replace(old, ending=True), newest], (), Quota(), NOW)
    assert (stopped.replace, stopped.admit) == ((), ()), "it is stopped once, and counts until it is over"
    assert [each.uid for each in choose([newest], (), Quota(), NOW).admit] == ["p2"]
    two = replace(newest, terms=Terms(running=2, policy="Replace"))
    assert choose([old, two], (), Quota(), NOW).replace == ()
    past = replace(old, terms=Terms(running=1))
    assert choose([past, newest], (), Quota(), NOW).replace == (), "what does not replace is not replaced"
    chosen = choose([newer, newest], ["p1"], Quota(), NOW)
    assert chosen.replace == (), "one that was chosen is let go first"
    assert choose([old, newest], (), Quota(suspended=True), NOW).replace == (), "nothing would start in its place"


def test_what_its_plan_or_label_holds_back_is_passed_over() -> None:
    one = Terms(running=1)
    runs = [
        run("p0", 0, "p", terms=one, admitted=True),
        run("p1", 1, "p", terms=one),
        run("x0", 2, labels={"team": "x"}),
        run("x1", 3, labels={"team": "x"}),
        run("free", 4),
    ]
    choice = choose(runs, (), Quota(running=5, limits=(LabelLimit("team", 1),)), NOW)
    assert [each.uid for each in choice.admit] == ["x0", "free"]
    assert {each.run.uid: each.reason for each in choice.waiting} == {
        "p1": "1 of 1 runs of launch plan p are running",
        "x1": "1 of 1 runs with team=x are running",
    }


def of_pool(uid: str, created: float, **rest: object) -> Run:
    return run(uid, created, pools=("warehouse",), **rest)


def test_no_more_runs_need_a_pool_than_it_holds_and_two() -> None:
    runs = [of_pool(f"r{n}", n) for n in range(9)]
    choice = choose([*runs, run("free", 99)], (), Quota(pools={"warehouse": 3}), NOW)
    assert [each.uid for each in choice.admit] == ["r0", "r1", "r2", "r3", "r4", "free"]
    assert choice.waiting[0].reason == "5 runs are running with tasks in the pool warehouse, which holds 3"
    assert len(choose([of_pool("r0", 0)], (), Quota(running=5), NOW).admit) == 1, "a pool that the domain lost"


def taking(uid: str, created: float, cpu: int, **rest: object) -> Run:
    return run(uid, created, needs=queue.amounts({"cpu": str(cpu)}), **rest)


FOUR = Quota(resources=queue.amounts({"cpu": "4"}), max_passed=2)


def test_runs_request_no_more_together_than_the_domain_allows_and_one_that_never_fits_is_refused() -> None:
    runs = [taking("a", 1, 3), taking("large", 2, 5), taking("b", 3, 2), taking("c", 4, 1), run("d", 5)]
    choice = choose(runs, (), FOUR, NOW)
    assert [each.uid for each in choice.admit] == ["a", "c", "d"]
    message = "it can never start: its estimated peak is 5 of cpu, and the domain's runs may request 4 together"
    assert choice.refuse == ((runs[1], message),)
    assert choice.waiting[0].reason == "it needs 2 of cpu, and runs have 4 of the domain's 4"
    assert [
        each.uid
        for each in choose([taking("a", 1, 3, admitted=True), taking("b", 2, 9, forced=True)], (), FOUR, NOW).admit
    ] == ["b"]


def test_a_run_that_lacks_resources_is_passed_over_so_often_and_then_what_becomes_free_is_kept_for_it() -> None:
    busy, wide = taking("busy", 0, 2, admitted=True), taking("wide", 1, 4)
    small = [taking(f"s{n}", 2 + n, 1) for n in range(4)]
    once = choose([busy, wide, small[0]], (), FOUR, NOW)
    assert ([each.uid for each in once.admit], once.passed) == (["s0"], {"wide": 1})
    again = choose([busy, wide, *small[1:]], (), FOUR, NOW, passed=once.passed)
    assert ([each.uid for each in again.admit], again.passed) == (["s1"], {"wide": 2})
    kept = choose([busy, wide, *small[2:]], (), FOUR, NOW, passed=again.passed)
    assert (kept.admit, kept.passed) == ((), {"wide": 2})
    reasons = [each.reason for each in kept.waiting]
    assert reasons[0] == "it needs 4 of cpu, and runs have 2 of the domain's 4"
    assert set(reasons[1:]) == {"what becomes free is kept for run wide, which was passed over 2 times"}
    assert [each.uid for each in choose([wide, *small[2:]], (), FOUR, NOW, passed=kept.passed).admit] == ["wide"]
    urgent = taking("urgent", 9, 1, priority=5)
    assert [each.uid for each in choose([busy, wide, urgent], (), FOUR, NOW, passed=kept.passed).admit] == ["urgent"]


def test_nothing_starts_in_a_suspended_domain_but_what_is_forced() -> None:
    runs = [run("a", 0), run("b", 1, forced=True)]
    assert admitted(*runs, quota=Quota()) == ["b", "a"]
    assert admitted(*runs, quota=Quota(suspended=True)) == ["b"]
    assert choose(runs, (), Quota(suspended=True), NOW).waiting[0].reason == "the domain is suspended"


def test_terms_travel_as_text_and_what_cannot_be_read_says_nothing() -> None:
    terms = Terms(5, 2, 3, 60)
    assert terms.to_text() == '{"priority":5,"queueSeconds":60,"running":3,"weight":2}'
    assert Terms.from_text(terms.to_text()) == terms
    assert Terms().to_text() == ""
    for text in ("", "{", "[]", '{"priority": "high"}', "[" * 5000):
        assert Terms.from_text(text) == Terms()


def test_terms_are_those_of_a_launch_plan() -> None:
    assert Terms.of(5, 2, 3, "1m") == Terms(5, 2, 3, 60)
    assert Terms.of(None, None, None, None) == Terms()


def test_a_quota_is_that_of_a_domain_and_a_domain_that_says_nothing_has_none() -> None:
    assert Quota.of({}) is None
    assert Quota.of({"suspend": True}) == Quota(suspended=True)
    quota = {"running": 5, "queued": 9, "limits": [{"key": "team", "limit": 1}], "maxPriority": 3, "agingAfter": "1h"}
    assert Quota.of({"quota": quota}) == Quota(5, 9, (LabelLimit("team", 1),), 3, 3600.0)
    more = {"quota": {"maxPassed": 0}, "pools": [{"name": "p", "limit": 2}], "resources": {"cpu": "2"}}
    assert Quota.of(more) == Quota(pools={"p": 2}, resources=queue.amounts({"cpu": "2"}), max_passed=0)
    assert Quota.of({"pools": [{"name": "p", "limit": 2}]}) == Quota(pools={"p": 2})


def test_a_forced_run_starts_beyond_the_quota_and_counts() -> None:
    runs = [run("a", admitted=True), run("b"), run("c", forced=True)]
    assert admitted(*runs, quota=Quota(running=1)) == ["c"]
    assert choose([run("a", admitted=True, forced=True), run("b")], (), Quota(running=1), NOW).admit == ()


def test_waiting_raises_a_priority_where_the_domain_says_so_and_it_is_asked_again_when_it_does() -> None:
    quota = Quota(running=1, aging_seconds=100)
    low = run("low", 0)
    high = run("high", 950, priority=3)
    assert admitted(low, high, quota=quota, now=299) == ["high"]
    assert admitted(low, high, quota=quota, now=1000) == ["low"]
    waiting = choose([low, run("running", admitted=True)], (), quota, 130)
    assert waiting.again == 70


def test_who_waited_for_too_long_is_refused_and_it_is_asked_again_when_the_next_one_has() -> None:
    short = Terms(queue_seconds=60)
    runs = [run("old", 0, "p", terms=short), run("young", 970, "p", terms=short), run("busy", admitted=True)]
    choice = choose(runs, (), Quota(running=1), NOW)
    assert [(each.uid, why) for each, why in choice.refuse] == [("old", "it waited for longer than 60 s")]
    assert choice.again == 30
    assert choose(runs, ["old"], Quota(running=2), NOW).refuse == (), "who was chosen waits no more"


def test_the_newest_beyond_the_longest_queue_are_refused() -> None:
    runs = [run("busy", admitted=True), *(run(f"r{n}", n, priority=n) for n in range(4))]
    choice = choose(runs, (), Quota(running=1, queued=2), NOW)
    assert sorted(each.uid for each, _ in choice.refuse) == ["r2", "r3"]
    assert [(each.run.uid, each.rank) for each in choice.waiting] == [("r1", 1), ("r0", 2)]


def test_a_domain_without_limits_admits_everybody() -> None:
    assert len(choose([run(f"r{n}", n) for n in range(50)], (), Quota(), NOW).admit) == 50


RUNS = st.lists(
    st.builds(
        run,
        uid=st.uuids().map(str),
        created=st.integers(0, 999).map(float),
        plan=st.sampled_from(["", "p", "q", "r"]),
        person=st.sampled_from(["", "x"]),
        labels=st.dictionaries(st.just("team"), st.sampled_from(["a", "b"])),
        priority=st.sampled_from([None, 0, 5]),
        admitted=st.booleans(),
        forced=st.sampled_from([False, False, False, True]),
        terms=st.builds(
            Terms,
            priority=st.integers(0, 3),
            weight=st.integers(1, 3),
            running=st.sampled_from([None, 1, 2]),
            queue_seconds=st.sampled_from([None, 500]),
            policy=st.sampled_from(["", "Skip", "Replace"]),
        ),
        pools=st.sampled_from([(), ("p",)]),
        needs=st.sampled_from([{}, {"cpu": 1}, {"cpu": 3}]),
    ),
    max_size=25,
)
QUOTAS = st.builds(
    Quota,
    running=st.sampled_from([None, 1, 3, 10]),
    queued=st.sampled_from([None, 0, 5]),
    limits=st.sampled_from([(), (LabelLimit("team", 1),)]),
    max_priority=st.integers(0, 5),
    aging_seconds=st.sampled_from([None, 100.0]),
    suspended=st.booleans(),
    pools=st.sampled_from([{}, {"p": 1}]),
    resources=st.sampled_from([{}, {"cpu": 4}]),
    max_passed=st.integers(0, 3),
)


@settings(max_examples=60)
@given(RUNS, QUOTAS)
def test_every_run_has_one_fate_and_no_limit_is_passed_but_by_force(runs: list[Run], quota: Quota) -> None:
    choice = choose(runs, (), quota, NOW)
    fates = [each.uid for each in choice.admit]
    ended = (*choice.refuse, *choice.skip, *(each for each in choice.replace if not each[0].admitted))
    fates += [each.uid for each, _ in ended] + [each.run.uid for each in choice.waiting]
    assert sorted(fates) == sorted(each.uid for each in runs if not each.admitted)
    assert [each.rank for each in choice.waiting] == list(range(1, len(choice.waiting) + 1))
    free = [each for each in choice.admit if not each.forced]
    running = [each for each in runs if each.admitted] + list(choice.admit)
    if free:
        assert not quota.suspended
        assert quota.running is None or len(running) <= quota.running
    for each in free:
        if each.plan and each.terms.running is not None:
            same = [other for other in running if other.plan == each.plan]
            most = max(other.terms.running or len(same) for other in same)  # here runs of one plan may differ in it
            assert len(same) <= most or any(other.admitted or other.forced for other in same)
        if "p" in each.pools and "p" in quota.pools:
            assert sum("p" in other.pools for other in running) <= quota.pools["p"] + queue.POOL_RESERVE
        if each.needs and quota.resources:
            assert sum(other.needs.get("cpu", 0) for other in running) <= quota.resources["cpu"]
        for limit in quota.limits:
            if limit.key in each.labels:
                same = [other for other in running if other.labels.get(limit.key) == each.labels[limit.key]]
                assert len(same) <= limit.limit


@settings(max_examples=60)
@given(RUNS, QUOTAS)
def test_no_run_is_admitted_before_one_of_higher_priority_that_nothing_holds_back(
    runs: list[Run], quota: Quota
) -> None:
    choice = choose(runs, (), quota, NOW)
    free = [each for each in choice.admit if not each.forced]
    highest = [queue.priority(each, quota, NOW) for each in free]
    assert highest == sorted(highest, reverse=True)
    for waiting in choice.waiting:
        if waiting.reason.endswith("runs of the domain are running"):
            above = queue.priority(waiting.run, quota, NOW)
            assert all(level >= above for level in highest), "only the domain's limit keeps it, none below passed it"


@settings(max_examples=40)
@given(RUNS, QUOTAS, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_list(runs: list[Run], quota: Quota, chance: object) -> None:
    shuffled = list(runs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = choose(runs, (), quota, NOW), choose(shuffled, (), quota, NOW)
    assert one.admit == other.admit
    assert one.waiting == other.waiting


def test_with_aging_no_run_starves() -> None:
    quota = Quota(running=1, aging_seconds=60)
    low = run("low", 0)
    for minute in range(20):
        now = minute * 60.0
        urgent = run(f"urgent{minute}", now, priority=10)
        if admitted(low, urgent, quota=quota, now=now) == ["low"]:
            assert minute == 10, "after ten minutes it counts as high as what has just come with ten, and is older"
            return
    raise AssertionError("it starved")
