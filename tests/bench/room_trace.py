"""Counts how often a rebuild re-enters a room: a call from one room into another left before.

``python tests/bench/room_trace.py`` prints the calls that entered each room.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backtest", "data", "reports", "strategies")
#: What stands for a compiled loop until it is called: whoever calls it calls the loop's room.
STAND_INS = ROOT / "data" / "base" / "compiling.py"


@dataclass(frozen=True, slots=True)
class Entry:
    """A call from one room into another."""

    caller: str | None
    room: str
    function: str


@dataclass
class Trace:
    """Calls between rooms, in order.

    A room is a folder of a package. A thread starts in the room that its starter is in.
    """

    entries: list[Entry] = field(default_factory=list)
    _rooms: dict[str, str | None] = field(default_factory=dict)
    _main: list[str | None] = field(default_factory=lambda: [None])
    _others: threading.local = field(default_factory=threading.local, repr=False)

    @property
    def reentered(self) -> int:
        """Entries into a room that had been entered, and left, before."""
        rooms = [entry.room for entry in self.entries]
        return len(rooms) - len(set(rooms))

    def of(self, work: Callable[[], object]) -> Trace:
        """Trace a call, and the threads that it starts."""
        previous = sys.getprofile()
        threading.setprofile(self._see)
        sys.setprofile(self._see)
        try:
            work()
        finally:
            sys.setprofile(previous)
            threading.setprofile(None)
        return self

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if event not in ("call", "return"):
            return
        file = frame.f_code.co_filename
        if file not in self._rooms:
            self._rooms[file] = _room(file)
        room = self._rooms[file]
        if room is None:
            return
        stack = self._stack()
        if event == "return":
            if len(stack) > 1:
                stack.pop()
            return
        if room != stack[-1]:
            self.entries.append(Entry(stack[-1], room, frame.f_code.co_name))
        stack.append(room)

    def _stack(self) -> list[str | None]:
        if threading.get_ident() == threading.main_thread().ident:
            return self._main
        # not by the thread's number: that of a thread which has ended is given to another
        stack: list[str | None] | None = getattr(self._others, "stack", None)
        if stack is None:
            stack = self._others.stack = [self._main[-1]]
        return stack


def _room(file: str) -> str | None:
    """Return the room of a source file, None for code of others and of the tests."""
    path = Path(file)
    if not path.is_relative_to(ROOT) or path == STAND_INS:
        return None
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] in PACKAGES and len(parts) > 2 else None


def traced_rebuild(chain: Path, folder: Path) -> Trace:
    """Trace a rebuild of one session; another one before it loads what is loaded once."""
    from gexlab.data import ingest, rebuild

    for name in ("first", "second"):
        ingest([chain], vendor="canonical", underlying="SPX", lake=folder / name)
    rebuild(folder / "first", "SPX")
    return Trace().of(lambda: rebuild(folder / "second", "SPX"))


def one_session(folder: Path) -> Path:
    """Write the chain of one session and return its file."""
    import numpy as np
    from small_chains import SESSIONS, Oddities, random_chain

    chain = random_chain(np.random.default_rng(3), SESSIONS[0], Oddities())
    chain.to_parquet(folder / "chain.parquet")
    return folder / "chain.parquet"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests" / "twin"))
    with tempfile.TemporaryDirectory() as name:
        found = traced_rebuild(one_session(Path(name)), Path(name))
    for (caller, room), calls in Counter((e.caller, e.room) for e in found.entries).most_common():
        print(f"{calls:4d}  {caller or 'the caller'} -> {room}")
    print(f"{len(found.entries)} entries, {found.reentered} of them into a room left before")
