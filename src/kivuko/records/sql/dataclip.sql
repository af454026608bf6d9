-- name: dataclips_left
SELECT id, wiped_at FROM dataclip WHERE id = ANY(:ids)
