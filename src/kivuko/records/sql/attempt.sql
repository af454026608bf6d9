-- Attempts are related when they are of one work order. The rows that reports work on are locked table by table, each by a statement of
-- its own that sees what the locks before it waited for; what they have in common is said again in each, so that none needs another's answer.

-- name: attempts_related
SELECT id FROM attempt WHERE work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))

-- name: attempts_of_work_orders
SELECT id FROM attempt WHERE work_order_id = ANY(:ids)

-- name: live_locked
SELECT {live_attempt} FROM live_attempt WHERE attempt_id IN (
    SELECT id FROM attempt WHERE work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))
)
ORDER BY attempt_id FOR UPDATE

-- name: attempts_locked
SELECT {attempt} FROM attempt WHERE work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids)) ORDER BY id FOR UPDATE

-- name: work_orders_locked
SELECT {work_order} FROM work_order WHERE id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids)) ORDER BY id FOR UPDATE

-- name: messages_of_attempts_locked
SELECT {message} FROM message WHERE id IN (
    SELECT message_id FROM work_order WHERE id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))
    UNION ALL SELECT id FROM message WHERE id = ANY(:more)
)
ORDER BY id FOR UPDATE

-- name: runs_of_related
SELECT {run} FROM run WHERE attempt_id IN (
    SELECT id FROM attempt WHERE work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))
)
ORDER BY id

-- name: foreign_workers
SELECT id FROM worker WHERE is_foreign = 1 AND id IN (
    SELECT worker_id FROM live_attempt WHERE attempt_id IN (
        SELECT id FROM attempt WHERE work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))
    )
)

-- name: live_deleted
DELETE FROM live_attempt WHERE attempt_id = ANY(:ids)

-- name: runs_deleted
DELETE FROM run WHERE id = ANY(:ids)

-- name: attempt_owners
SELECT id, claim_number FROM attempt WHERE id = ANY(:ids)

-- name: day_counted
INSERT INTO daily_stat (project_id, workflow_id, day, state, finished) VALUES (:project_id, :workflow_id, :day, :state, :finished)
ON CONFLICT (project_id, workflow_id, day, state) DO UPDATE SET finished = daily_stat.finished + excluded.finished

-- name: dataclips_on_the_wire
SELECT attempt_id, wire_id, id FROM dataclip WHERE attempt_id = ANY(:ids) AND wire_id = ANY(:wire_ids)
