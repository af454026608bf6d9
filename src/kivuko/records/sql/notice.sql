-- name: notices_waiting
SELECT {notice} FROM notice ORDER BY id LIMIT :at_most

-- name: notices_deleted
DELETE FROM notice WHERE id = ANY(:ids)
