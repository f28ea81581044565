"""The page of one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import day
from .sections import words
from .sections.expiries import expiry_section
from .sections.profile import profile_section, sentence_of
from .views import Page

if TYPE_CHECKING:
    from ..session.picture import SessionPicture

__all__ = ["profile_page"]


def profile_page(picture: SessionPicture, *, simulated: bool = False) -> Page:
    """Return the page of one session."""
    row = picture.row
    name = f"{row['underlying']} on {day(row['session'])}"
    mark = "SIMULATED: " if simulated else ""
    return Page(
        title=f"{mark}{name}: gamma profile",
        heading=f"{name}: {words.regime(row['regime'])}",
        summary=sentence_of(picture),
        simulated=simulated,
        sections=(profile_section(picture), expiry_section(picture)),
    )
