-- name: attempt_states
SELECT id, state FROM attempt WHERE id = ANY(:ids)

-- name: work_order_states
SELECT id, state FROM work_order WHERE id = ANY(:ids)

-- name: changed_runs
SELECT {run} FROM run WHERE id = ANY(:ids)

-- name: attempts_of_changed_runs
SELECT {attempt} FROM attempt WHERE id IN (SELECT attempt_id FROM run WHERE id = ANY(:ids))

-- name: attempt_standing
SELECT project_id, state FROM attempt WHERE id = :id
