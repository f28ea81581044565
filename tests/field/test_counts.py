"""Every kind of file has its cases, five further instances and two public ones, and they exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from field_cases import BARS, CASES
from instances import INSTANCES
from kinds import KINDS
from public_layouts import SEEN

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("number", sorted(KINDS))
def test_a_kind_has_its_instances(number: int) -> None:
    kind = KINDS[number]
    known = {case.name[:2] for case in CASES} | {name[:2] for name in BARS}
    assert set(kind.cases) <= known
    names = {f"{one.kind}: {one.name}" for one in INSTANCES}
    for said in (*kind.instances, *kind.public):
        file, _, function = said.partition("::")
        if not function:
            assert said in names
        else:
            source = (TESTS / file).read_text(encoding="utf-8")
            assert f"\ndef {function.partition('[')[0]}(" in source, said
    public = [seen for seen in SEEN if number in seen.kinds]
    assert len(set(kind.instances)) >= 5
    assert len(public) + len(kind.public) >= 2


def test_every_case_is_of_a_kind() -> None:
    listed = {number for kind in KINDS.values() for number in kind.cases}
    assert listed == {case.name[:2] for case in CASES} | {name[:2] for name in BARS}
