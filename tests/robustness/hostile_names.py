"""A hundred names that mean something to somebody: terminals, pages, sheets, shells, databases."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from pathlib import Path
from typing import Any
from unicodedata import category

__all__ = [
    "NAMES",
    "as_file",
    "as_toml",
    "problems_of_file",
    "problems_of_json",
    "problems_of_text",
]

#: Kind of reader to the names that mean something to it.
_BY_READER: dict[str, tuple[str, ...]] = {
    "rich": (
        "[/x]", "[zz]", "[bold]b", "[link=http://e.org]l[/link]", "\\[b]", "[/]", "[red", ":smile:",
        "[@click=app.bell]x[/]", "x]", "\\",
    ),
    "terminal": (
        "\x1b[31mred", "\x1b]0;title\x07", "a\x08b", "a\rb", "a\nb", "a\tb", "\x9b31m", "\x7f",
        "\x1b", "a\x0bb", "\x1b]8;;http://e.org\x1b\\l", "\x85",
    ),
    "eyes": (
        "\u202eevil", "a\u200bb", "\u2066x\u2069", "a\u00adb", "\ufeffx", "a\u2028b", "\u2029",
        "\ue000", "e\u0301", "\u00e9", "\U0001f600",
        "\U000e0041x", "\u5e97\u4e3b", "\u05d0\u05d1", "\u3000",
        "a\u00a0b", "\u0430bc", "Z\u0335\u0321\u0353a",
    ),
    "HTML": (
        "<script>alert(1)</script>", "</script><b>", "<!--", "-->", "&amp;", "&lt;", '" onload="x',
        "' onclick='x", "<img src=x onerror=y>", "]]>", "</title><i>", "<style>*{}</style>",
        "javascript:alert(1)",
    ),
    "templates": (
        "{{ 7 * 7 }}", "{% raw %}", "{# c #}", "${7*7}", "{0}", "{name!r}", "%s%n", "%(x)s", "%{y}",
        "css:ink", "{", "}}",
    ),
    "pictures": ("$\\frac{1}$", "$x", "_a_", "\\alpha", "^2", "$$"),
    "sheets": ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\uff1d1", "a,b", 'a"b', "a;b",
               "'x"),
    "Markdown": ("a|b", "`x`", "**b**", "# h", "[l](http://e.org)", "~~s~~", "|---|"),
    "SQL": ("'; DROP TABLE chains; --", '"x"', "a''b", "*", "a?b", "[a-b]", "%2F"),
    "shells": ("$(touch x)", "`touch x`", "a b", "-rf", "~", ";ls", "a&b"),
    "files": ("..", "a/b", "../../x", "CON", ".hidden", "x.", "underlying=Y", "file:x", "s3:x"),
    "tables": ("nan", "NULL", "1e5", "2020-01-01", "true", "0", "__HIVE_DEFAULT_PARTITION__"),
    "UTF-8": ("caf\udce9", "\udcff\udcfe"),
    "size": ("long" * 30,),
}  # fmt: skip
NAMES: tuple[str, ...] = tuple(name for names in _BY_READER.values() for name in names)


def as_file(name: str) -> str:
    """Return a name that a file can have: as it is, but for what separates folders."""
    found = name.replace("/", "\u2215").replace("\0", "")
    return f"x{found}" if found.strip(".") == "" or found.startswith("~") else found


def as_toml(text: str) -> str:
    """Return a text in quotes as TOML writes it; what UTF-8 cannot say becomes an escape."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return (
        '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08X}" for c in plain) + '"'
    )


#: Control, format (zero-width, bidirectional), unassigned and the like; lines and paragraphs.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def problems_of_text(text: str) -> list[str]:
    """Return what acts on a terminal, or is an error that nobody expected."""
    acting = sorted({hex(ord(c)) for c in text if c != "\n" and category(c) in _HIDDEN})
    found = [f"acts on the terminal: {', '.join(acting)}"] if acting else []
    found += [word for word in ("unexpected", "Traceback") if word in text]
    return found


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and the names of its attributes, but for what says that its text is long."""
        named = [name for name, value in attrs if (name, value) != ("class", "lengthy")]
        self.found.append((tag, *sorted(named)))

    def handle_endtag(self, tag: str) -> None:
        """Note an end."""
        self.found.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.found.append(("comment",))


def _tags(page: str) -> list[tuple[str, ...]]:
    """Return the tags of a page, each with the names of its attributes."""
    parser = _Tags()
    parser.feed(page)
    parser.close()
    return parser.found


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def _problems_of_table(text: str) -> list[str]:
    """Return what is wrong with a CSV file: rows of other widths, formulas."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    found = [f"row of {len(r)} cells under {len(rows[0])}" for r in rows if len(r) != len(rows[0])]
    cells = (cell for row in rows for cell in row)
    return found + [
        f"formula {cell!r}"
        for cell in cells
        if cell and cell[0] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20" and not _NUMBER.match(cell)
    ]


def problems_of_json(text: str) -> list[str]:
    """Return what is wrong with a JSON document."""

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError as error:
        return [f"no JSON: {error}"]
    return []


def _problems_of_page(page: str, plain: str) -> list[str]:
    """Return what a name changed in a page beside its text, against one made with a plain name."""
    found = _tags(page)
    expected = _tags(plain)
    problems = []
    if found != expected:
        odd = [a for a in found if a not in expected]
        problems.append(f"{len(found)} tags for {len(expected)}: {odd[:3]}")
    if "\x1b" in page or "\u202e" in page:
        problems.append("an escape or a sign that turns the text around")
    return problems


def problems_of_file(path: Path, plain: Path) -> list[str]:
    """Return what is wrong with a file that a command wrote."""
    if path.suffix in (".png", ".parquet"):
        head = path.read_bytes()[:4]
        return [] if head in (b"\x89PNG", b"PAR1") else [f"begins with {head!r}"]
    if path.suffix not in (".csv", ".json", ".html", ".md"):
        return []
    text = path.read_bytes().decode("utf-8")
    if path.suffix == ".csv":
        return _problems_of_table(text)
    if path.suffix == ".json":
        return problems_of_json(text)
    if path.suffix == ".html":
        return _problems_of_page(text, plain.read_text(encoding="utf-8"))
    if path.suffix == ".md":
        pipes = [line.count("|") for line in text.splitlines()]
        same = [line.count("|") for line in plain.read_text(encoding="utf-8").splitlines()]
        return [] if pipes == same else ["other cells"]
    return []
