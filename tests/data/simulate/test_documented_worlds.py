"""The tables of the document of simulated worlds are what the code computes."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from gexlab.data.simulate import Agents, failure_rate, simulate_path
from gexlab.data.simulate.checks.check import check_worlds
from gexlab.data.simulate.checks.closed_forms import PIN_STARTS, PIN_TABLE, pin_law
from gexlab.data.simulate.market import market
from gexlab.data.simulate.worlds.parameters import MarketParameters, Mechanism
from gexlab.data.simulate.worlds.registry import world_named

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "worlds.md").read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())


def _table(head: str) -> list[list[str]]:
    """Return the rows of the table whose head begins so."""
    lines = TEXT[TEXT.index(f"| {head}") :].partition("\n\n")[0].splitlines()[2:]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
    ]


def _stated(cell: str) -> dict[str, tuple[float, float]]:
    """Return what a cell says of parameters: ``name value, value``, visible and realistic."""
    pattern = r"`(\w+)`(?: [a-zA-Z]+)? (-?[\d.]+(?:e-?\d+)?)(?:, (-?[\d.]+(?:e-?\d+)?))?(?! x)"
    return {
        name: (float(visible), float(realistic or visible))
        for name, visible, realistic in re.findall(pattern, cell)
    }


def test_parameters_of_the_worlds() -> None:
    rows = {row[0].split()[0]: row[2] for row in _table("world | equation")}
    assert len(rows) == 12
    for name, cell in rows.items():
        world, stated = world_named(name), _stated(cell)
        for place, (around, mechanism) in enumerate((world.visible, world.realistic)):
            for parameter, values in stated.items():
                part = around if hasattr(around, parameter) else mechanism
                found = getattr(part, parameter)
                assert found == pytest.approx(values[place]), (name, parameter, place)
        if "as S" in cell:
            other = world_named(re.findall(r"as (S\d+)", cell)[0])
            assert world.visible[1].impact == other.visible[1].impact
            assert world.realistic[1].impact == other.realistic[1].impact


def test_what_is_said_of_the_market() -> None:
    usual = MarketParameters()
    ratio = 0.7978845608 * 252**0.5  # sqrt(2 / pi), and of a year
    chosen = signature(simulate_path).parameters["calibration"].default
    paying = world_named("S9")
    big, small = (ratio * made[1].transient for made in (paying.visible, paying.realistic))
    for words in (
        f"sqrt(2/pi) sqrt(252)`: {big:.2f}, {small:.2f}".replace(" 0.", " ."),
        f"{'Ninety' if market._BURN_IN == 90 else '?'} sessions before the first one fill the",
        f"Two calibrations: *{chosen}* (default)",
        f"a share overnight ({usual.overnight_share:g}) and equal bars",
        f"constant volatility ({100 * usual.volatility:g} % a year) in the visible calibration",
        f"Daily drift is {usual.drift:.0e}".replace("e-0", "e-"),
        f"close a {'thirtieth' if round(1 / usual.decay) == 30 else '?'} of everything each",
    ):
        assert words in PLAIN
    assert world_named("S1").visible[0].dynamics == "constant"
    assert world_named("S1").realistic[0].dynamics == "gjr"
    assert Mechanism().impact == 0.0


@pytest.mark.slow
def test_how_far_kappa_reaches() -> None:
    """Nine tenths of the sessions of ten long markets, and the hundredth that is lowest."""
    found = {
        (name, made): np.concatenate(
            [
                simulate_path(name, sessions=3_500, seed=seed, calibration=made).effects["kappa"]  # type: ignore[arg-type]
                for seed in range(10)
            ]
        )
        for name, made in (("S1", "visible"), ("S2", "visible"), ("S1", "realistic"))
    }
    low, high = np.quantile(found["S1", "visible"], [0.05, 0.95])
    small, large = np.quantile(found["S1", "realistic"], [0.05, 0.95])
    assert (
        f"have kappa between {low:.2f} and {high:.2f} in the visible one (S2: two thirds to four "
        f"fifths of that) and between {small:.2f} and {large:.2f} in the realistic one, one in a "
        f"hundred below {np.quantile(found['S1', 'realistic'], 0.01):.2f}."
    ) in PLAIN
    lagged = np.quantile(found["S2", "visible"], [0.05, 0.95]) / (low, high)
    assert ((lagged > 0.65) & (lagged < 0.8)).all()


def test_the_law_of_pinning_by_steps() -> None:
    rows = {row[0]: row[1:] for row in _table("steps | beta")}
    pulls = (0.25, 0.5, 1.0, 2.0)
    for steps in (500,):  # more of them: the slow one
        told = rows[f"{steps:,}"]
        for pull, cell in zip(pulls, told, strict=True):
            law = pin_law(pull, PIN_STARTS, steps=steps)
            assert cell == " / ".join(f"{p:.3f}".lstrip("0") for p in law)
    by_pull = {row[0]: row[1] for row in PIN_TABLE}
    for pull, cell in zip(pulls, rows["stated"], strict=True):
        assert cell == " / ".join(f"{p:.2f}".lstrip("0") for p in by_pull[pull])


@pytest.mark.slow
def test_the_law_of_pinning_by_many_steps() -> None:
    rows = {row[0]: row[1:] for row in _table("steps | beta")}
    for steps in (1_000, 2_000, 4_000):
        for pull, cell in zip((0.25, 0.5, 1.0, 2.0), rows[f"{steps:,}"], strict=True):
            law = pin_law(pull, PIN_STARTS, steps=steps)
            assert cell == " / ".join(f"{p:.3f}".lstrip("0") for p in law)


@pytest.mark.slow
def test_the_check_of_all_worlds() -> None:
    """The table of seed 1, every number of it."""
    rows = _table("world | quantity")
    found = check_worlds(seed=1).checks
    told = {(row[0], row[1]): row[2:] for row in rows}
    laws = [c for c in found if c.relation != "reported"]  # lakes report some under the same name
    made = {(c.world, c.quantity): c for c in laws if (c.world, c.quantity) in told}
    assert set(told) == set(made)
    for key, (theory, measured, error, z, n) in told.items():
        check = made[key]
        assert float(theory.strip("<> ")) == pytest.approx(check.theory, abs=6e-5), key
        assert float(measured) == pytest.approx(check.measured, abs=6e-5), key
        if error != "exact":
            assert float(error) == pytest.approx(check.error, abs=6e-5), key
        if z:
            assert float(z) == pytest.approx(check.z, abs=6e-3), key
        assert n == f"{check.n:,} {check.unit}"


@pytest.mark.slow
def test_markets_of_agents_that_fail() -> None:
    for row in _table("immediacy | position"):
        agents = Agents(immediacy=float(row[0]))
        for position, cell in zip((-80, -40, 0, 40, 80), row[1:], strict=True):
            rate = failure_rate(position, markets=10, seed=1, agents=agents)
            assert cell.partition(" ")[0] == f"{100 * rate:.0f}", (row[0], position)
