-- name: attempts_related
-- Attempts are related when they are of one work order. What is looked up is locked by keys afterwards: a lock that is waited for looks again
-- whether the row is still meant, and a condition that reads other tables may then say no.
SELECT attempt.id, attempt.work_order_id, work_order.message_id
FROM attempt JOIN work_order ON work_order.id = attempt.work_order_id
WHERE attempt.work_order_id IN (SELECT work_order_id FROM attempt WHERE id = ANY(:ids))

-- name: attempts_of_work_orders
SELECT id FROM attempt WHERE work_order_id = ANY(:ids)

-- name: live_locked
SELECT {live_attempt} FROM live_attempt WHERE attempt_id = ANY(:ids) ORDER BY attempt_id FOR UPDATE

-- name: attempts_locked
SELECT {attempt} FROM attempt WHERE id = ANY(:ids) ORDER BY id FOR UPDATE

-- name: work_orders_locked
SELECT {work_order} FROM work_order WHERE id = ANY(:ids) ORDER BY id FOR UPDATE

-- name: runs_of_attempts
SELECT {run} FROM run WHERE attempt_id = ANY(:ids) ORDER BY id

-- name: foreign_workers
SELECT id FROM worker WHERE is_foreign = 1 AND id IN (SELECT worker_id FROM live_attempt WHERE attempt_id = ANY(:ids))

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
