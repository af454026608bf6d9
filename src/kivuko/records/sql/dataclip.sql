-- name: dataclips_left
SELECT id, wiped_at FROM dataclip WHERE id = ANY(:ids)

-- name: pins_released
UPDATE dataclip SET pinned_by = NULL WHERE pinned_by = :scope_id

-- name: dataclip_pinned
UPDATE dataclip SET pinned_by = :scope_id WHERE id = :id
