-- The claim (server-and-data §6). A lane is a (queue, workflow) with something waiting. Projects and lanes are found by skipping through
-- the index live_waiting, never by reading the backlog; records.turntaking decides whose turn it is.

-- name: claim_lock [postgresql]
-- Without it claimers pick the same candidates, and limits break. 0x6b69 is "ki".
SELECT pg_advisory_xact_lock(27497)

-- name: claim_lock [sqlite]
SELECT 1

-- name: waiting_projects [postgresql]
WITH RECURSIVE found AS (
    (SELECT queue, project_id FROM live_attempt WHERE state = 0 ORDER BY queue, project_id LIMIT 1)
    UNION ALL
    SELECT next.* FROM found CROSS JOIN LATERAL (
        SELECT queue, project_id FROM live_attempt WHERE state = 0 AND (queue, project_id) > (found.queue, found.project_id)
        ORDER BY queue, project_id LIMIT 1
    ) AS next
)
SELECT queue, project_id FROM found

-- name: waiting_projects [sqlite]
WITH RECURSIVE found(queue, project_id) AS (
    SELECT * FROM (
        SELECT queue, project_id FROM live_attempt INDEXED BY live_waiting WHERE state = 0 ORDER BY queue, project_id LIMIT 1
    )
    UNION ALL
    -- Two seeks: SQLite takes (queue, project_id) > (…) as a bound on queue only, and would read a long lane to its end.
    SELECT next.queue, next.project_id FROM found CROSS JOIN live_attempt AS next ON next.attempt_id = COALESCE(
        (
            SELECT attempt_id FROM live_attempt AS later INDEXED BY live_waiting
            WHERE later.state = 0 AND later.queue = found.queue AND later.project_id > found.project_id
            ORDER BY later.project_id, later.workflow_id, later.priority, later.attempt_id LIMIT 1
        ),
        (
            SELECT attempt_id FROM live_attempt AS later INDEXED BY live_waiting
            WHERE later.state = 0 AND later.queue > found.queue
            ORDER BY later.queue, later.project_id, later.workflow_id, later.priority, later.attempt_id LIMIT 1
        )
    )
)
SELECT queue, project_id FROM found

-- name: lanes_of_project [postgresql]
WITH RECURSIVE lane AS (
    (
        SELECT workflow_id, priority, attempt_id, needs FROM live_attempt
        WHERE state = 0 AND queue = :queue AND project_id = :project_id
        ORDER BY workflow_id, priority, attempt_id LIMIT 1
    )
    UNION ALL
    SELECT next.* FROM lane CROSS JOIN LATERAL (
        SELECT workflow_id, priority, attempt_id, needs FROM live_attempt
        WHERE state = 0 AND queue = :queue AND project_id = :project_id AND workflow_id > lane.workflow_id
        ORDER BY workflow_id, priority, attempt_id LIMIT 1
    ) AS next
)
SELECT workflow_id, priority, attempt_id, needs FROM lane

-- name: lanes_of_project [sqlite]
WITH RECURSIVE lane(workflow_id, priority, attempt_id, needs) AS (
    SELECT * FROM (
        SELECT workflow_id, priority, attempt_id, needs FROM live_attempt INDEXED BY live_waiting
        WHERE state = 0 AND queue = :queue AND project_id = :project_id
        ORDER BY workflow_id, priority, attempt_id LIMIT 1
    )
    UNION ALL
    SELECT next.workflow_id, next.priority, next.attempt_id, next.needs FROM lane CROSS JOIN live_attempt AS next ON next.attempt_id = (
        SELECT attempt_id FROM live_attempt AS later INDEXED BY live_waiting
        WHERE later.state = 0 AND later.queue = :queue AND later.project_id = :project_id AND later.workflow_id > lane.workflow_id
        ORDER BY later.workflow_id, later.priority, later.attempt_id LIMIT 1
    )
)
SELECT workflow_id, priority, attempt_id, needs FROM lane

-- name: lane_waiting
SELECT priority, attempt_id FROM live_attempt
WHERE state = 0 AND queue = :queue AND project_id = :project_id AND workflow_id = :workflow_id AND needs & :missing = 0
ORDER BY priority, attempt_id LIMIT :at_most

-- name: busy
SELECT project_id, workflow_id, count(*) FROM live_attempt WHERE state >= 2 GROUP BY project_id, workflow_id

-- name: claim_take
UPDATE live_attempt
SET state = 2, worker_id = :worker_id, lease_until = :lease_until, renewed = 0, claim_number = claim_number + 1
WHERE attempt_id IN (SELECT attempt_id FROM live_attempt WHERE attempt_id = ANY(:ids) AND state = 0 FOR UPDATE SKIP LOCKED)
RETURNING attempt_id, claim_number

-- name: claim_attempts
UPDATE attempt SET state = 2, worker_id = :worker_id, claimed_at = :now_us, claim_number = claim_number + 1 WHERE id = ANY(:ids)
RETURNING id, snapshot_id

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

-- name: leases_held
SELECT attempt_id, claim_number, renewed, lease_until FROM live_attempt WHERE state >= 2 AND lease_until IS NOT NULL

-- name: shares
SELECT {claim_share} FROM claim_share WHERE scope_id = ANY(:ids)

-- name: held_by_foreign_workers
SELECT live_attempt.attempt_id, live_attempt.claim_number, live_attempt.renewed, attempt.started_at, attempt.options
FROM live_attempt JOIN worker ON worker.id = live_attempt.worker_id JOIN attempt ON attempt.id = live_attempt.attempt_id
WHERE live_attempt.state = 3 AND worker.is_foreign = 1 AND attempt.started_at < :before ORDER BY live_attempt.attempt_id
