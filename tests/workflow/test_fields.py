"""What a field of the wrong type is told to be."""

from __future__ import annotations

import pytest

from kivuko.errors import PlanError
from kivuko.workflow.fields import Fields


@pytest.mark.parametrize(("value", "wanted"), [(7, "a text or a list of texts"), ([7], "a list of texts")])
def test_a_list_of_texts_may_be_one_text_and_is_told_so(value: object, wanted: str) -> None:
    with pytest.raises(PlanError) as refused:
        Fields({"adaptor": value}, "step a").texts("adaptor")
    assert f'Write "adaptor" as {wanted}, or leave it out.' == refused.value.fix
