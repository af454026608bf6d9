"""Message filters: payload, pattern and whether it matches (requirements §3.1)."""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE: tuple[tuple[str, str, bool], ...] = (
    ('{"a":1,"b":2}', "{}", True),
    ('{"a":1}', "[]", False),
    ("[1,2]", "1", True),
    ("[[1]]", "1", False),
    ('{"a":[1,2]}', '{"a":1}', False),
    ('{"a":[1,2]}', '{"a":[2]}', True),
    ('{"a":[1,2]}', '{"a":[2,2,1]}', True),
    ('{"a":[]}', '{"a":[]}', True),
    ('{"a":[1]}', '{"a":[]}', True),
    ('{"a":1}', '{"a":1.0}', True),
    ('[{"a":1},{"b":2}]', '{"a":1}', False),
    ("1", "1", True),
    ('{"a":"1"}', '{"a":1}', False),
    ('{"a":null}', '{"a":null}', True),
    ("{}", '{"a":null}', False),
    ('{"d":[{"x":1,"y":2},{"z":3}]}', '{"d":[{"x":1}]}', True),
    ('{"d":[{"x":1},{"y":2}]}', '{"d":[{"x":1,"y":2}]}', False),
    ('{"a":{"b":{"c":1}}}', '{"c":1}', False),
    ('{"a":true}', '{"a":"true"}', False),
    ('{"a":[[1,2]]}', '{"a":[[2]]}', True),
    ('{"A":1}', '{"a":1}', False),
    ('{"a":"x "}', '{"a":"x"}', False),
    ('[{"a":1},{"b":2}]', '[{"a":1}]', True),
    ('"x"', '"x"', True),
)
