"""Generations of project files, told by shape."""

from __future__ import annotations

import pytest

from kivuko.errors import InputError
from kivuko.projects.generation import Generation, generation_of


@pytest.mark.parametrize(
    ("document", "generation"),
    [
        ({"jobs": {}, "triggers": {}, "credentials": {}}, Generation.MICROSERVICE),
        ({"jobs": {"a": {}}, "version": "4.0"}, Generation.MICROSERVICE),
        ({"async": True, "jobs": {}, "triggers": {}}, Generation.PROPOSAL),
        ({"jobs": {}, "staticData": {}}, Generation.PROPOSAL),
        ({"name": "p", "workflows": {"w": {"jobs": {}}}}, Generation.LIGHTNING),
        ({"schema_version": "4.0", "workflows": []}, Generation.KIT),
    ],
    ids=["v2", "v2-no-triggers", "v1-async", "v1-static", "v3", "v4"],
)
def test_the_shape_tells_the_generation(document: object, generation: Generation) -> None:
    assert generation_of(document, "project.yaml") is generation


@pytest.mark.parametrize("document", [None, [], "jobs", {}, {"name": "p"}, {"jobs": []}], ids=str)
def test_what_is_no_project_is_refused(document: object) -> None:
    with pytest.raises(InputError, match=r"project\.yaml is no project"):
        generation_of(document, "project.yaml")
