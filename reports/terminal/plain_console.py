"""A console that shows text as it is: no markup, no emoji codes, no escapes of strangers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment

from ...data import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType
    from rich.text import Text

__all__ = ["PlainConsole"]


def _sane_environment() -> dict[str, str]:
    """Return the environment without sizes that are no numbers, on which rich would fail."""
    sizes = ("COLUMNS", "LINES")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in sizes or (value.isascii() and value.isdigit() and len(value) < 6)
    }


class PlainConsole(Console):
    """A rich console for which a text is a text.

    Markup (``[bold]``) and emoji codes (``:smile:``) are not interpreted; characters that would
    act on the terminal, or that nobody sees, are escaped (`gexlab.data.base.printable.shown`).
    Colours come from styles alone.
    """

    def __init__(self, *, stderr: bool, width: int | None) -> None:
        super().__init__(
            stderr=stderr,
            width=width,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=False,
            _environ=_sane_environment(),
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a text into rich's own, before its width is measured."""
        return super().render_str(
            shown(text, keep="\n"), **{**options, "markup": False, "emoji": False}
        )

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render, and escape what has not been escaped as a text of its own."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(shown(segment.text, keep="\n"), segment.style)
