-- The claim (server-and-data §6): round robin over projects, then workflows; limits kept; what waits longest first.
-- A lane is a (workflow, queue) with something waiting; lanes are found by skipping through the index, never by reading the backlog.

-- name: claim_lock [postgresql]
-- Without it claimers pick the same candidates, and limits break. 0x6b69 is "ki".
SELECT pg_advisory_xact_lock(27497)

-- name: claim_lock [sqlite]
SELECT 1

-- name: claim_choice [postgresql]
WITH RECURSIVE head AS (
    (
        SELECT workflow_id, queue, priority, attempt_id, project_id, needs FROM live_attempt
        WHERE state = 0 ORDER BY workflow_id, queue, priority, attempt_id LIMIT 1
    )
    UNION ALL
    SELECT next.* FROM head CROSS JOIN LATERAL (
        SELECT workflow_id, queue, priority, attempt_id, project_id, needs FROM live_attempt
        WHERE state = 0 AND (workflow_id, queue) > (head.workflow_id, head.queue)
        ORDER BY workflow_id, queue, priority, attempt_id LIMIT 1
    ) AS next
),
lane AS (
    SELECT head.workflow_id, head.queue, head.project_id, first.priority, first.attempt_id,
        COALESCE(array_position(CAST(:queues AS text[]), head.queue), CAST(:any_queue AS int)) AS preference
    FROM head CROSS JOIN LATERAL (
        SELECT head.priority, head.attempt_id WHERE head.needs & :missing = 0
        UNION ALL
        (
            SELECT able.priority, able.attempt_id FROM live_attempt AS able
            WHERE head.needs & :missing <> 0 AND able.state = 0 AND able.workflow_id = head.workflow_id AND able.queue = head.queue
                AND able.needs & :missing = 0
            ORDER BY able.priority, able.attempt_id LIMIT 1
        )
    ) AS first
),
busy AS (
    SELECT project_id, workflow_id, count(*) AS live FROM live_attempt WHERE state >= 2 GROUP BY project_id, workflow_id
),
busy_project AS (
    SELECT project_id, sum(live) AS live FROM busy GROUP BY project_id
),
busy_workflow AS (
    SELECT workflow_id, sum(live) AS live FROM busy GROUP BY workflow_id
),
-- Lanes of workflows that may start one more.
room AS (
    SELECT lane.workflow_id, lane.queue, lane.project_id, lane.preference, lane.priority, lane.attempt_id,
        COALESCE(busy_workflow.live, 0) AS workflow_busy, share.max_live AS workflow_max, COALESCE(share.served_at, 0) AS workflow_served
    FROM lane
    LEFT JOIN busy_workflow ON busy_workflow.workflow_id = lane.workflow_id
    LEFT JOIN claim_share AS share ON share.scope_id = lane.workflow_id
    WHERE lane.preference IS NOT NULL AND lane.attempt_id IS NOT NULL
        AND (share.max_live IS NULL OR COALESCE(busy_workflow.live, 0) < share.max_live)
),
headed AS (
    SELECT room.*, row_number() OVER (PARTITION BY workflow_id ORDER BY preference, priority, attempt_id) AS head FROM room
),
placed AS (
    SELECT headed.*, row_number() OVER (
        PARTITION BY project_id ORDER BY preference, priority, workflow_busy + head, workflow_served, attempt_id
    ) AS place FROM headed
),
-- With :demand better projects, or :demand better lanes in its project, a lane can win nothing: only the others are looked into.
project AS (
    SELECT placed.project_id, COALESCE(busy_project.live, 0) AS project_busy, share.max_live AS project_max,
        COALESCE(share.served_at, 0) AS project_served,
        row_number() OVER (
            ORDER BY placed.preference, COALESCE(busy_project.live, 0), COALESCE(share.served_at, 0), placed.priority, placed.attempt_id
        ) AS project_place
    FROM placed
    LEFT JOIN busy_project ON busy_project.project_id = placed.project_id
    LEFT JOIN claim_share AS share ON share.scope_id = placed.project_id
    WHERE placed.place = 1 AND (share.max_live IS NULL OR COALESCE(busy_project.live, 0) < share.max_live)
),
near AS (
    SELECT placed.*, project_busy, project_max, project_served FROM placed JOIN project ON project.project_id = placed.project_id
    WHERE placed.place <= :demand AND project.project_place <= :demand
),
candidate AS (
    SELECT near.workflow_id, near.project_id, near.preference, near.workflow_busy, near.project_busy, near.workflow_max, near.project_max,
        near.workflow_served, near.project_served, waiting.priority, waiting.attempt_id
    FROM near CROSS JOIN LATERAL (
        SELECT live_attempt.priority, live_attempt.attempt_id FROM live_attempt
        WHERE state = 0 AND workflow_id = near.workflow_id AND queue = near.queue AND needs & :missing = 0
        ORDER BY live_attempt.priority, live_attempt.attempt_id LIMIT :demand
    ) AS waiting
),
by_workflow AS (
    SELECT candidate.*, workflow_busy + row_number() OVER (
        PARTITION BY workflow_id ORDER BY preference, priority, attempt_id
    ) AS workflow_turn FROM candidate
),
by_project AS (
    SELECT by_workflow.*, project_busy + row_number() OVER (
        PARTITION BY project_id ORDER BY preference, priority, workflow_turn, workflow_served, attempt_id
    ) AS project_turn FROM by_workflow WHERE workflow_max IS NULL OR workflow_turn <= workflow_max
)
SELECT attempt_id, project_id, workflow_id, project_max, workflow_max FROM by_project
WHERE project_max IS NULL OR project_turn <= project_max
ORDER BY preference, project_turn, project_served, priority, workflow_turn, attempt_id
LIMIT :demand

-- name: claim_choice [sqlite]
WITH RECURSIVE head(workflow_id, queue, priority, attempt_id, project_id, needs) AS (
    SELECT * FROM (
        SELECT workflow_id, queue, priority, attempt_id, project_id, needs FROM live_attempt INDEXED BY live_waiting
        WHERE state = 0 ORDER BY workflow_id, queue, priority, attempt_id LIMIT 1
    )
    UNION ALL
    SELECT next.workflow_id, next.queue, next.priority, next.attempt_id, next.project_id, next.needs
    -- Two seeks: SQLite takes (workflow_id, queue) > (…) as a bound on workflow_id only, and would read a long lane to its end.
    FROM head CROSS JOIN live_attempt AS next ON next.attempt_id = COALESCE(
        (
            SELECT attempt_id FROM live_attempt AS later INDEXED BY live_waiting
            WHERE later.state = 0 AND later.workflow_id = head.workflow_id AND later.queue > head.queue
            ORDER BY later.queue, later.priority, later.attempt_id LIMIT 1
        ),
        (
            SELECT attempt_id FROM live_attempt AS later INDEXED BY live_waiting
            WHERE later.state = 0 AND later.workflow_id > head.workflow_id
            ORDER BY later.workflow_id, later.queue, later.priority, later.attempt_id LIMIT 1
        )
    )
),
lane AS MATERIALIZED (
    SELECT head.workflow_id, head.queue, head.project_id,
        CASE WHEN head.needs & :missing = 0 THEN head.priority ELSE (
            SELECT priority FROM live_attempt AS other INDEXED BY live_waiting
            WHERE other.state = 0 AND other.workflow_id = head.workflow_id AND other.queue = head.queue AND other.needs & :missing = 0
            ORDER BY other.priority, other.attempt_id LIMIT 1
        ) END AS priority,
        CASE WHEN head.needs & :missing = 0 THEN head.attempt_id ELSE (
            SELECT attempt_id FROM live_attempt AS other INDEXED BY live_waiting
            WHERE other.state = 0 AND other.workflow_id = head.workflow_id AND other.queue = head.queue AND other.needs & :missing = 0
            ORDER BY other.priority, other.attempt_id LIMIT 1
        ) END AS attempt_id,
        COALESCE((SELECT key + 1 FROM json_each(:queues) WHERE value = head.queue), :any_queue) AS preference
    FROM head
),
busy AS (
    SELECT project_id, workflow_id, count(*) AS live FROM live_attempt WHERE state >= 2 GROUP BY project_id, workflow_id
),
busy_project AS (
    SELECT project_id, sum(live) AS live FROM busy GROUP BY project_id
),
busy_workflow AS (
    SELECT workflow_id, sum(live) AS live FROM busy GROUP BY workflow_id
),
-- Lanes of workflows that may start one more.
room AS (
    SELECT lane.workflow_id, lane.queue, lane.project_id, lane.preference, lane.priority, lane.attempt_id,
        COALESCE(busy_workflow.live, 0) AS workflow_busy, share.max_live AS workflow_max, COALESCE(share.served_at, 0) AS workflow_served
    FROM lane
    LEFT JOIN busy_workflow ON busy_workflow.workflow_id = lane.workflow_id
    LEFT JOIN claim_share AS share ON share.scope_id = lane.workflow_id
    WHERE lane.preference IS NOT NULL AND lane.attempt_id IS NOT NULL
        AND (share.max_live IS NULL OR COALESCE(busy_workflow.live, 0) < share.max_live)
),
headed AS (
    SELECT room.*, row_number() OVER (PARTITION BY workflow_id ORDER BY preference, priority, attempt_id) AS head FROM room
),
placed AS (
    SELECT headed.*, row_number() OVER (
        PARTITION BY project_id ORDER BY preference, priority, workflow_busy + head, workflow_served, attempt_id
    ) AS place FROM headed
),
-- With :demand better projects, or :demand better lanes in its project, a lane can win nothing: only the others are looked into.
project AS (
    SELECT placed.project_id, COALESCE(busy_project.live, 0) AS project_busy, share.max_live AS project_max,
        COALESCE(share.served_at, 0) AS project_served,
        row_number() OVER (
            ORDER BY placed.preference, COALESCE(busy_project.live, 0), COALESCE(share.served_at, 0), placed.priority, placed.attempt_id
        ) AS project_place
    FROM placed
    LEFT JOIN busy_project ON busy_project.project_id = placed.project_id
    LEFT JOIN claim_share AS share ON share.scope_id = placed.project_id
    WHERE placed.place = 1 AND (share.max_live IS NULL OR COALESCE(busy_project.live, 0) < share.max_live)
),
near AS (
    SELECT placed.*, project_busy, project_max, project_served FROM placed JOIN project ON project.project_id = placed.project_id
    WHERE placed.place <= :demand AND project.project_place <= :demand
),
candidate AS (
    SELECT near.workflow_id, near.project_id, near.preference, near.workflow_busy, near.project_busy, near.workflow_max, near.project_max,
        near.workflow_served, near.project_served, waiting.priority, waiting.attempt_id
    FROM near CROSS JOIN live_attempt AS waiting ON waiting.attempt_id IN (
        SELECT attempt_id FROM live_attempt AS other INDEXED BY live_waiting
        WHERE other.state = 0 AND other.workflow_id = near.workflow_id AND other.queue = near.queue AND other.needs & :missing = 0
        ORDER BY other.priority, other.attempt_id LIMIT :demand
    )
),
by_workflow AS (
    SELECT candidate.*, workflow_busy + row_number() OVER (
        PARTITION BY workflow_id ORDER BY preference, priority, attempt_id
    ) AS workflow_turn FROM candidate
),
by_project AS (
    SELECT by_workflow.*, project_busy + row_number() OVER (
        PARTITION BY project_id ORDER BY preference, priority, workflow_turn, workflow_served, attempt_id
    ) AS project_turn FROM by_workflow WHERE workflow_max IS NULL OR workflow_turn <= workflow_max
)
SELECT attempt_id, project_id, workflow_id, project_max, workflow_max FROM by_project
WHERE project_max IS NULL OR project_turn <= project_max
ORDER BY preference, project_turn, project_served, priority, workflow_turn, attempt_id
LIMIT :demand

-- name: claim_take
UPDATE live_attempt
SET state = 2, worker_id = :worker_id, lease_until = :lease_until, renewed = 0, claim_number = claim_number + 1
WHERE attempt_id IN (SELECT attempt_id FROM live_attempt WHERE attempt_id = ANY(:ids) AND state = 0 FOR UPDATE SKIP LOCKED)
RETURNING attempt_id, claim_number

-- name: claim_attempts
UPDATE attempt SET state = 2, worker_id = :worker_id, claimed_at = :now_us, claim_number = claim_number + 1 WHERE id = ANY(:ids)

-- name: claimed_by
SELECT attempt_id, claim_number, worker_id FROM live_attempt WHERE worker_id = ANY(:worker_ids) AND state IN (2, 3)
ORDER BY attempt_id FOR UPDATE

-- name: lease_renewed
UPDATE live_attempt SET lease_until = :lease_until, renewed = renewed + 1 WHERE attempt_id = ANY(:ids)

-- name: cancels_requested
SELECT id FROM attempt WHERE id = ANY(:ids) AND cancel_requested_at IS NOT NULL

-- name: worker_seen
UPDATE worker SET last_seen_at = :now_us, slots_free = :slots_free WHERE id = :id

-- name: parked_due
SELECT attempt_id, project_id, workflow_id FROM live_attempt WHERE state = 1 AND available_at <= :now_us
ORDER BY available_at LIMIT :at_most

-- name: parked_lock
SELECT attempt_id FROM live_attempt WHERE attempt_id = ANY(:ids) AND state = 1 ORDER BY attempt_id FOR UPDATE

-- name: parked_queued
UPDATE live_attempt SET state = 0 WHERE attempt_id = ANY(:ids)

-- name: parked_attempts_queued
UPDATE attempt SET state = 0 WHERE id = ANY(:ids)

-- name: leases_overdue
SELECT attempt_id, claim_number, renewed FROM live_attempt WHERE state IN (2, 3, 4) AND lease_until < :now_us

-- name: shares
SELECT {claim_share} FROM claim_share WHERE scope_id = ANY(:ids)
