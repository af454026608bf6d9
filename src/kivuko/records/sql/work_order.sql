-- name: work_orders_known
SELECT id FROM work_order WHERE id = ANY(:ids)
