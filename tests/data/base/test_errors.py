"""Errors keep what they say, and what they are, between processes."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil

import pytest

from gexlab.data.base.errors import EarlyBarsError, GexlabError, UnknownNameError

PACKAGES = ("data", "strategies", "backtest", "reports")


def every_error() -> list[type[GexlabError]]:
    for name in PACKAGES:
        package = importlib.import_module(f"gexlab.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"gexlab.{name}."):
            if "error" in module.name or module.name.endswith(("writer", "turn", "date_dialect")):
                importlib.import_module(module.name)
    found: list[type[GexlabError]] = []
    left = [GexlabError]
    while left:
        kind = left.pop()
        found.append(kind)
        left += kind.__subclasses__()
    return sorted(set(found), key=lambda kind: kind.__qualname__)


def made(kind: type[GexlabError]) -> GexlabError:
    """Return an error of a kind, whatever it is made from."""
    own = "__init__" in vars(kind)
    needed = [
        p.name
        for p in inspect.signature(kind.__init__).parameters.values()
        if p.default is p.empty and p.name != "self" and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    return kind(*(f"words of {name}" for name in needed)) if own else kind("words")


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_arrives_as_it_was_sent(kind: type[GexlabError]) -> None:
    sent = made(kind)
    sent.__dict__["seen"] = 3
    for arrived in (pickle.loads(pickle.dumps(sent)), copy.copy(sent)):
        assert type(arrived) is kind
        assert str(arrived) == str(sent)
        assert arrived.__dict__ == sent.__dict__


def test_what_an_error_carries_arrives() -> None:
    sent = UnknownNameError("dealer model", "naiv", ["naive", "inverted"])
    arrived = pickle.loads(pickle.dumps(sent))
    assert (
        str(arrived) == "unknown dealer model 'naiv': did you mean 'naive'? Known: inverted, naive"
    )
    early = pickle.loads(pickle.dumps(EarlyBarsError("early", None)))
    assert (str(early), early.first) == ("early", None)


def test_the_nearest_name_may_differ_in_capitals_alone() -> None:
    assert "did you mean 'ccep'?" in str(UnknownNameError("underlying", "CCEP", ["ccep", "CCE"]))


def test_thousands_of_names_are_not_all_listed() -> None:
    told = str(UnknownNameError("underlying", "X", [f"N{i:04}" for i in range(2_000)]))
    assert "N0099 and 1900 more" in told
    assert "N0100" not in told
