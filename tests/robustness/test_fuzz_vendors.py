"""A bounded part of the fuzzing of the vendors' parsers; the whole is run by hand."""

from __future__ import annotations

import fuzz_vendors
import pytest


def test_mutated_rows() -> None:
    report = fuzz_vendors.Report()
    fuzz_vendors.fuzz_rows(3_300, 11, report)
    assert report.failures == []
    assert report.inputs >= 3_300
    assert report.outcomes["rows written"] > 800
    assert report.outcomes["rows rejected"] > 50


def test_mutated_files() -> None:
    report = fuzz_vendors.Report()
    fuzz_vendors.fuzz_files(22, 12, report)
    assert report.failures == []
    assert report.outcomes["files refused"] > 5
    assert report.outcomes["files read"] > 1


@pytest.mark.slow
def test_many() -> None:
    report = fuzz_vendors.Report()
    fuzz_vendors.fuzz_rows(1_000_000, 1, report)
    fuzz_vendors.fuzz_files(2_000, 1, report)
    assert report.failures == []
