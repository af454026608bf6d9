-- name: once_take
-- The first one keeps the key until it expires; whoever comes later reads whose it is.
INSERT INTO once_only (kind, key, target_id, expires_at) VALUES (:kind, :key, :target_id, :expires_at)
ON CONFLICT (kind, key) DO UPDATE SET target_id = excluded.target_id, expires_at = excluded.expires_at, answer = NULL
WHERE once_only.expires_at <= :now_us

-- name: once_target
SELECT target_id FROM once_only WHERE kind = :kind AND key = :key
