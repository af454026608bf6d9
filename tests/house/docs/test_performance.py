"""The page about performance names every part of the benchmarks."""

from __future__ import annotations

import ast
import re

from house.docs.pages import Page
from house.sources import ROOT


def test_every_part_of_the_benchmarks_is_explained() -> None:
    tree = ast.parse((ROOT / "benchmarks" / "run.py").read_text("utf-8"))
    tables = (node for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PARTS")
    parts = set(ast.literal_eval(next(tables).value))
    path = ROOT / "docs" / "performance.md"
    section = Page(path, path.read_text("utf-8")).section("How it is measured")
    assert set(re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)) == parts
