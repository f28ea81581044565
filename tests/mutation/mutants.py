"""Mutants: does some test notice a wrong operator, number or name?

`reach` runs the default suite once and records which test runs which line; `run` draws mutants
with a stated seed, the same number from each package, and runs each against the tests that reach
its line, on a copy of the tree; what is done stays on disk, and the next call goes on; `report`
counts. `run --near 4` needs no `reach`: it takes the four test files that best fit the mutant by
name, and the module's examples. `again` runs those that were not killed against the sources and
tests as they are now: each place where the same text stands in the same function. Mutants that
change nothing are named in `equivalent.toml`, with the reason.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import coverage
from sites import OPERATORS, Mutant, mutants_of, mutated

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backtest", "data", "reports", "strategies")
# imported once; each mutant's process is a fork of this one
_HEAVY = (
    "arch duckdb exchange_calendars jinja2 matplotlib mpmath numba numpy pandas plotly "
    "pyarrow.parquet pydantic rich scipy.stats scipy.optimize statsmodels.api typer vollib"
)
_NAMED = re.compile(r"(FAILED|ERROR) \S+::").match


def sample(tree: Path, number: int, seed: int) -> list[Mutant]:
    """Return mutants drawn at random, the same number from each package, in random order."""
    source = random.Random(seed)
    drawn: list[Mutant] = []
    for package in PACKAGES:
        files = sorted((tree / package).rglob("*.py"))
        every = [
            mutant
            for file in files
            for mutant in mutants_of(str(file.relative_to(tree)), file.read_text(encoding="utf-8"))
        ]
        drawn += source.sample(every, min(number // len(PACKAGES), len(every)))
    source.shuffle(drawn)
    return drawn


def again(out: Path, files: int, seconds: int, only: str) -> None:
    """Run what was not killed against the tree as it is now, by the test files that are near.

    A mutant that is no longer there is noted as gone: draw another one in its place.
    """
    place = out / "again"
    shutil.rmtree(place / "tree", ignore_errors=True)
    tree = copy_tree(place)
    _begin(tree)
    latest = {line["key"]: line for line in _results(out)}
    for key, line in latest.items():
        if line["status"] in ("killed", "timeout", "gone") or not line["path"].startswith(only):
            continue
        path = tree / line["path"]
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        same = [m for m in mutants_of(line["path"], source) if m.key == key]
        found = near(tree, same[0], files) if same else []
        tests = [t for t in found if t not in _broken(place)]
        each = [_status(place, tree, m, tests, seconds, by_name=True) for m in same]
        left = [status for status in each if status not in ("killed", "timeout")]
        status = left[0] if left else "killed" if same else "gone"
        _note(out, line | {"status": status, "tests": len(tests)})


def copy_tree(out: Path) -> Path:
    """Copy what Git knows, and a tree of links through which the copy is imported."""
    tree = out / "tree"
    if tree.exists():
        return tree
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, encoding="utf-8")
    for name in names.stdout.splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    links = tree / ".links" / "gexlab"
    links.mkdir(parents=True)
    for package in PACKAGES:
        (links / package).symlink_to(f"../../{package}")
    return tree


def reach(out: Path, arguments: list[str]) -> None:
    """Run the suite, or a part of it that arguments name, and keep which test runs which line.

    Parts add up; without arguments everything begins anew.
    """
    tree = copy_tree(out)
    for old in out.glob("reach*" if not arguments else "reach.*"):
        old.unlink()
    environment = _environment(tree) | {"GEXLAB_REACH": str(out / "reach")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "reach", "-p", "no:cacheprovider"]
    subprocess.run([*command, *arguments], cwd=tree, env=environment, check=False)
    data = coverage.CoverageData(str(out / "reach"))
    data.read()
    for part in sorted(out.glob("reach.*")):
        other = coverage.CoverageData(str(part))
        other.read()
        data.update(other)
        part.unlink()
    data.write()


def tests_reaching(data: coverage.CoverageData, tree: Path, mutant: Mutant) -> list[str]:
    """Return the ids of the tests that run the mutant's line; compiled loops count by module."""
    path = tree / mutant.path
    by_line: dict[int, list[str]] = {}
    for name in (str(path), str(tree / ".links" / "gexlab" / mutant.path)):
        by_line |= data.contexts_by_lineno(name)
    found = set(by_line.get(mutant.line, ())) - {""}
    if not found:  # compiled, or run while the module is imported
        found = {test for tests in by_line.values() for test in tests if test}
    return sorted(found)


def near(tree: Path, mutant: Mutant, most: int) -> list[str]:
    """Return test files by how near they are to a mutant, the nearest first.

    A file's points: its name has the module's name, it names the function, the module, it lies in
    the module's room or in its package's folder.
    """
    room, _, file = mutant.path.rpartition("/")
    stem = file.removesuffix(".py")
    function = mutant.function.split(".")[0 if mutant.function[:1].isupper() else -1]
    ranked: list[tuple[int, int, str]] = []
    for path in sorted((tree / "tests").rglob("test_*.py")):
        name = str(path.relative_to(tree))
        text = path.read_text(encoding="utf-8")
        points = 8 * (stem in path.stem) + 4 * name.startswith(f"tests/{room}/")
        points += 6 * bool(re.search(rf"\b{re.escape(function)}\b", text))
        points += 5 * bool(re.search(rf"\b{re.escape(stem)}\b", text))
        points += name.startswith(f"tests/{room.partition('/')[0]}/")
        if points > 1:
            ranked.append((-points, len(text), name))
    module = "gexlab." + mutant.path.removesuffix(".py").replace("/", ".")
    examples = f"tests/test_docs.py::test_docstring_examples[{module}]"
    return [examples, *(name for *_, name in sorted(ranked))][: most + 1]


def run(
    out: Path, number: int, seed: int, most: int, seconds: int, only: str, *, files: int = 0
) -> None:
    """Run at most `most` more of the sample's mutants, of those below a path."""
    tree = copy_tree(out)
    data = coverage.CoverageData(str(out / "reach"))
    if not files:
        data.read()
    done = {line["key"] for line in _results(out) if line["status"] != "undecided"}
    drawn = sample(tree, number, seed)
    left = [m for m in drawn if m.key not in done and m.path.startswith(only)][:most]
    if not left:
        return
    _begin(tree)
    for mutant in left:
        started = time.monotonic()
        found = near(tree, mutant, files) if files else tests_reaching(data, tree, mutant)
        tests = [t for t in found if t not in _broken(out)]
        status = _status(out, tree, mutant, tests, seconds, by_name=files > 0)
        record = asdict(mutant) | {
            "key": mutant.key,
            "status": status,
            "tests": len(tests),
            "seconds": round(time.monotonic() - started, 1),
        }
        _note(out, record)


def _begin(tree: Path) -> None:
    """Import what every test imports, for all forks at once."""
    os.environ.pop("GEXLAB_CACHE_DIR", None)  # it would go before the folders of compiled mutants
    os.environ.update(_environment(tree))
    for name in _HEAVY.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _note(out: Path, record: dict[str, Any]) -> None:
    with (out / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    print(record["status"], record["key"], f"({record['tests']} tests)", flush=True)


def _status(
    out: Path, tree: Path, mutant: Mutant, tests: list[str], seconds: int, *, by_name: bool
) -> str:
    if not tests:
        return "not reached"
    path = tree / mutant.path
    before = path.read_text(encoding="utf-8")
    compiled = "numba" in before
    cache = out / "numba-of-mutant" if compiled else out / "numba"
    try:
        _write(path, mutated(before, mutant))
        os.environ["NUMBA_CACHE_DIR"] = str(cache)
        # the whole files last: what a shared fixture ran is attributed to its first test alone
        stages = (_cheapest(out, mutant, tests), _whole_files(out, mutant, tests))
        for chosen in (tests,) if by_name else stages:
            code = _forked(out, tree, chosen, seconds)
            if code is None:  # it hangs if the same tests end in time without it
                _write(path, before)
                return "timeout" if _forked(out, tree, chosen, seconds) == 0 else "undecided"
            if code != 0:
                return _confirmed(out, tree, path, before, chosen, seconds)
        return "survived"
    finally:
        _write(path, before)
        if compiled:
            shutil.rmtree(cache, ignore_errors=True)


def _confirmed(
    out: Path, tree: Path, path: Path, before: str, tests: list[str], seconds: int
) -> str:
    """Return ``killed`` if what failed passes without the mutant, else note it as broken."""
    log = (out / "last.txt").read_text(encoding="utf-8", errors="replace")
    named = [line for line in log.splitlines() if _NAMED(line)]
    failed = [line.split(" - ")[0].split(maxsplit=1)[1] for line in named][:1]
    if failed and failed[0] in _lines(out / "passing.txt"):
        return "killed"
    _write(path, before)
    passes = _forked(out, tree, failed or tests, seconds) == 0
    with (out / ("passing.txt" if passes else "broken.txt")).open("a", encoding="utf-8") as file:
        file.writelines(f"{test}\n" for test in failed)
    return "killed" if passes else "undecided"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _broken(out: Path) -> set[str]:
    """Return the tests that fail without any mutant: they decide nothing."""
    return set(_lines(out / "broken.txt"))


def _cheapest(out: Path, mutant: Mutant, tests: list[str], most: float = 30.0) -> list[str]:
    """Return tests of so much processor time in all: those of the mutant's own room first.

    Of each file the cheapest come first, so that many files take part.
    """
    took = dict(json.loads(line) for line in _lines(out / "reach-seconds.jsonl"))
    place: Counter[str] = Counter()
    ranked: list[tuple[bool, int, float, str]] = []
    room = f"tests/{mutant.path.rpartition('/')[0]}/"
    for test in sorted(tests, key=lambda test: took.get(test, 1.0)):
        file = test.partition("::")[0]
        place[file] += 1
        ranked.append((not test.startswith(room), place[file], took.get(test, 1.0), test))
    chosen: list[str] = []
    used = 0.0
    for *_, seconds, test in sorted(ranked):
        if used + seconds <= most or not chosen:
            chosen.append(test)
            used += seconds
    return chosen


def _whole_files(out: Path, mutant: Mutant, tests: list[str], most: float = 120.0) -> list[str]:
    """Return the tests' files, those of the mutant's own room and the cheapest first."""
    took: Counter[str] = Counter()
    for line in _lines(out / "reach-seconds.jsonl"):
        test, seconds = json.loads(line)
        took[test.partition("::")[0]] += seconds
    room = f"tests/{mutant.path.rpartition('/')[0]}/"
    files = {test.partition("::")[0] for test in tests}
    chosen: list[str] = []
    used = 0.0
    for file in sorted(files, key=lambda file: (not file.startswith(room), took[file])):
        if used + took[file] <= most or not chosen:
            chosen.append(file)
            used += took[file]
    return chosen


def _forked(out: Path, tree: Path, tests: list[str], seconds: int) -> int | None:
    """Run tests in a fork of this process; return its code, None where the time was up."""
    process = os.fork()
    if process == 0:
        os.setsid()
        log = os.open(out / "last.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = 99
        try:
            os.chdir(tree)
            sys.path[:0] = [str(tree / ".links")]
            import pytest

            options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
            options += [f"--deselect={test}" for test in _broken(out)]
            code = int(pytest.main([*options, *tests]))
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    limit = time.monotonic() + 4 * seconds  # a busy machine is no endless loop
    while time.monotonic() < limit and _used(process) < seconds:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def _used(process: int) -> float:
    """Return the processor time of a process; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return sum(map(int, told.rpartition(")")[2].split()[11:15])) / float(os.sysconf("SC_CLK_TCK"))


def _write(path: Path, text: str) -> None:
    """Write a source so that no compiled copy of another version passes for it."""
    stamp = int(path.stat().st_mtime) + 2
    path.write_text(text, encoding="utf-8")
    os.utime(path, (stamp, stamp))


def _environment(tree: Path) -> dict[str, str]:
    shared = os.environ.get("GEXLAB_SHARED_DATA", str(ROOT.parent / "shared" / "data"))
    own = [str(tree / ".links"), str(tree / "tests" / "mutation")]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(own), "GEXLAB_SHARED_DATA": shared}


def _results(out: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def report(out: Path) -> None:
    """Print how many were killed, and every one that was not."""
    named = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text(encoding="utf-8"))
    equivalent: dict[str, str] = named["equivalent"]
    latest = {line["key"]: line for line in _results(out)}
    kinds = {"timeout": "killed"}
    for key, line in latest.items():
        status = line["status"]
        line["kind"] = "equivalent" if key in equivalent else kinds.get(status, status)
    for title in ("package", "operator"):
        print(f"by {title}:")
        groups: dict[str, Counter[str]] = {}
        for line in latest.values():
            name = line["path"].partition("/")[0] if title == "package" else line["operator"]
            groups.setdefault(name, Counter())[line["kind"]] += 1
        for name, counts in sorted(groups.items()):
            note = f"  ({OPERATORS[name]})" if name in OPERATORS else ""
            print(f"  {name}: " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())) + note)
    total = Counter(line["kind"] for line in latest.values())
    real = sum(total.values()) - total["equivalent"]
    print(f"{real} mutants that change something, {total['killed']} killed", end="")
    print(f" ({total['killed'] / real:.1%})" if real else "", f"; {total['equivalent']} equivalent")
    for key, line in sorted(latest.items()):
        if line["kind"] != "killed":
            print(f"  {line['kind']}: {key} (line {line['line']})", equivalent.get(key, ""))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("reach", "run", "again", "report"))
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "mutants")
    parser.add_argument("--number", type=int, default=200, help="mutants in the sample")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--most", type=int, default=10**6, help="mutants to run now")
    parser.add_argument("--only", default="", help="path that the mutants lie below")
    parser.add_argument("--near", type=int, default=0, help="test files by name, without reach")
    parser.add_argument("--seconds", type=int, default=300, help="longest run of one mutant")
    chosen, arguments = parser.parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copy is put right again
    out = chosen.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if chosen.what == "reach":
        reach(out, arguments)
    elif chosen.what == "run":
        run(
            out,
            chosen.number,
            chosen.seed,
            chosen.most,
            chosen.seconds,
            chosen.only,
            files=chosen.near,
        )
    elif chosen.what == "again":
        again(out, chosen.near or 4, chosen.seconds, chosen.only)
    report(out)


if __name__ == "__main__":
    main()
