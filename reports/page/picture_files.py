"""Pictures to files, chosen by the file's ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...data import InputFileError

if TYPE_CHECKING:
    from pathlib import Path

    from ..session.picture import SessionPicture

__all__ = ["write_profile"]


def write_profile(picture: SessionPicture, path: Path, *, simulated: bool = False) -> Path:
    """Draw one session to an HTML page or a PNG picture.

    Raises
    ------
    InputFileError
        If the file's name ends in neither ``.html`` nor ``.png``.
    """
    if path.suffix == ".png":
        from .profile_picture import draw_profile

        return draw_profile(picture, path, simulated=simulated)
    if path.suffix == ".html":
        from .html import write_page
        from .profile_page import profile_page

        return write_page(profile_page(picture, simulated=simulated), path)
    raise InputFileError(f"{path}: a picture is .html or .png: give one of these endings")
