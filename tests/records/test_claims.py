"""The claim: one worker an Attempt, limits kept, everyone in turn."""

from __future__ import annotations

import threading
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kivuko.records.claims import JOIN_WITHIN_US, Claim, SetLimit
from kivuko.records.database import Database
from kivuko.records.ids import Id, new_id
from kivuko.records.rows import Attempt, LiveAttempt
from kivuko.records.states import AttemptState, LiveState, Needs
from records.queueing import claimed, queue
from records.scenes import Scene


def test_an_empty_queue_gives_nothing(scene: Scene) -> None:
    assert claimed(scene, 5) == []


def test_what_waits_longest_comes_first_and_no_more_than_asked_for(scene: Scene) -> None:
    waiting = queue(scene, 5)
    assert claimed(scene, 2) == waiting[:2]
    assert claimed(scene, 10) == waiting[2:]
    assert claimed(scene, 10) == []


def test_a_claim_gives_the_attempt_to_the_worker_for_a_while(scene: Scene) -> None:
    (attempt,) = queue(scene)
    worker = new_id()
    ((found),) = scene.do(Claim(worker))
    live, stored = scene.one(LiveAttempt), scene.one(Attempt)
    assert (found.attempt_id, found.claim_number) == (attempt, 1)
    assert (live.state, live.worker_id, live.claim_number) == (LiveState.CLAIMED, worker, 1)
    assert live.lease_until == scene.now_us + JOIN_WITHIN_US
    queue(scene)
    ((next_one,),) = (scene.do(Claim(worker, lease_us=12_000_000)),)
    assert scene.get(LiveAttempt, next_one.attempt_id).lease_until == scene.now_us + 12_000_000
    assert (stored.state, stored.worker_id, stored.claimed_at, stored.claim_number) == (AttemptState.CLAIMED, worker, scene.now_us, 1)


def test_what_is_urgent_overtakes_within_its_project(scene: Scene) -> None:
    workflow = new_id()
    ordinary = queue(scene, 2, workflow=workflow)
    urgent = queue(scene, workflow=new_id(), priority=0)
    first = queue(scene, workflow=workflow, priority=0)
    assert claimed(scene, 4) == [*urgent, *first, *ordinary]


def test_queues_are_taken_in_the_order_the_worker_prefers(scene: Scene) -> None:
    ordinary, manual, fast = queue(scene), queue(scene, queue="manual"), queue(scene, queue="fast_lane")
    assert claimed(scene, 1, queues=("fast_lane",)) == fast
    assert claimed(scene, 5, queues=("manual", "*")) == [*manual, *ordinary]


def test_without_a_star_the_queues_are_a_filter(scene: Scene) -> None:
    ordinary = queue(scene)
    assert claimed(scene, 5, queues=("fast_lane", "manual")) == []
    assert claimed(scene, 5, queues=("*",)) == ordinary


def test_a_worker_gets_only_what_it_can_do(scene: Scene) -> None:
    workflow = new_id()
    python = queue(scene, 3, workflow=workflow, needs=Needs.PYTHON)
    javascript = queue(scene, workflow=workflow)
    resumed = queue(scene, needs=Needs.JAVASCRIPT | Needs.FRONTIER)
    assert claimed(scene, 9, kinds=Needs.JAVASCRIPT) == javascript
    assert claimed(scene, 9, kinds=Needs.JAVASCRIPT | Needs.FRONTIER) == resumed
    assert claimed(scene, 9) == python


def test_one_noisy_project_does_not_starve_the_others(scene: Scene) -> None:
    noisy = new_id()
    queue(scene, 60, project=noisy)
    others = [queue(scene, project=new_id())[0] for _ in range(9)]
    found = claimed(scene, 10)
    assert set(others) < set(found)
    assert len(found) == 10


def test_projects_take_turns_also_when_one_attempt_is_claimed_at_a_time(scene: Scene) -> None:
    projects = [new_id() for _ in range(3)]
    owner = {attempt: project for project in projects for attempt in queue(scene, 4, project=project)}
    served = []
    for _ in range(6):
        scene.after(1)
        served.append(owner[claimed(scene)[0]])
    assert Counter(served) == dict.fromkeys(projects, 2)


def test_workflows_of_a_project_take_turns(scene: Scene) -> None:
    workflows = [new_id() for _ in range(3)]
    owner = {attempt: workflow for workflow in workflows for attempt in queue(scene, 5, workflow=workflow)}
    assert Counter(owner[attempt] for attempt in claimed(scene, 6)) == dict.fromkeys(workflows, 2)


def test_a_workflow_has_no_more_under_way_than_its_limit(scene: Scene) -> None:
    workflow = new_id()
    waiting = queue(scene, 5, workflow=workflow)
    scene.do(SetLimit(workflow, 2))
    assert claimed(scene, 5) == waiting[:2]
    assert claimed(scene, 5) == []
    scene.reader.query("DELETE FROM live_attempt WHERE attempt_id = ?", waiting[0])
    assert claimed(scene, 5) == waiting[2:3]
    scene.do(SetLimit(workflow, None))
    assert claimed(scene, 5) == waiting[3:]


def test_the_limit_of_a_project_wins(scene: Scene) -> None:
    for _ in range(3):
        workflow = new_id()
        queue(scene, 3, workflow=workflow)
        scene.do(SetLimit(workflow, 2))
    scene.do(SetLimit(scene.project_id, 4))
    assert [len(claimed(scene, 3)) for _ in range(3)] == [3, 1, 0]


def test_a_paused_project_or_workflow_rests(scene: Scene) -> None:
    paused, other = new_id(), queue(scene)
    queue(scene, 3, workflow=paused)
    queue(scene, 3, project=paused)
    scene.do(SetLimit(paused, 0))
    assert claimed(scene, 10) == other


def test_concurrency_1_keeps_the_order_of_arrival(scene: Scene) -> None:
    workflow = new_id()
    scene.do(SetLimit(workflow, 1))
    waiting = queue(scene, 4, workflow=workflow)
    order = []
    while found := claimed(scene, 3):
        order.extend(found)
        scene.reader.query("DELETE FROM live_attempt WHERE attempt_id = ?", found[0])
    assert order == waiting


def test_four_claimers_never_get_the_same_attempt(database: Database) -> None:
    scenes = [Scene(database) for _ in range(4)] if database.dialect == "postgresql" else [Scene(database)] * 4
    waiting = [attempt for _ in range(6) for attempt in queue(scenes[0], 20)]
    found: list[Id] = []

    def claim_all(scene: Scene) -> None:
        while taken := claimed(scene, 3):
            found.extend(taken)

    threads = [threading.Thread(target=claim_all, args=(scene,)) for scene in scenes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(waiting)
    for scene in set(scenes):
        scene.close()


WAITING = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["default", "manual"]), st.integers(0, 1)), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(waiting=WAITING, limits=st.dictionaries(st.integers(0, 5), st.integers(0, 3)), demands=st.lists(st.integers(1, 6), max_size=4))
def test_limits_hold_and_nothing_claimable_is_left_over(
    scene: Scene, waiting: list[tuple[int, int, str, int]], limits: dict[int, int], demands: list[int]
) -> None:
    scene.reader.script(
        "DELETE FROM live_attempt; DELETE FROM claim_share;" if scene.database.dialect == "postgresql" else "DELETE FROM live_attempt"
    )
    scopes = [new_id() for _ in range(12)]
    for place, project, name, priority in ((f"{workflow}", workflow // 2, name, priority) for workflow, _, name, priority in waiting):
        queue(scene, project=scopes[project], workflow=scopes[3 + int(place)], queue=name, priority=priority)
    for scope, limit in limits.items():
        scene.do(SetLimit(scopes[scope], limit))
    for demand in demands:
        before = len(scene.rows(LiveAttempt, "WHERE state = 0"))
        found = claimed(scene, demand)
        assert len(found) <= demand
        assert before - len(scene.rows(LiveAttempt, "WHERE state = 0")) == len(found)
        if len(found) < demand:
            assert not _claimable(scene, {scopes[scope]: limit for scope, limit in limits.items()})
    busy = scene.rows(LiveAttempt, "WHERE state = 2")
    for scope, limit in limits.items():
        assert sum(scopes[scope] in (live.project_id, live.workflow_id) for live in busy) <= limit


def _claimable(scene: Scene, limits: dict[Id, int]) -> list[LiveAttempt]:
    busy = Counter(scope for live in scene.rows(LiveAttempt, "WHERE state = 2") for scope in (live.project_id, live.workflow_id))
    rows = scene.rows(LiveAttempt, "WHERE state = 0")
    return [live for live in rows if all(busy[scope] < limits.get(scope, 10**6) for scope in (live.project_id, live.workflow_id))]
