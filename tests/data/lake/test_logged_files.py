"""Files that a table's log names, by the underlying whose folder they lie in."""

from __future__ import annotations

from collections.abc import Iterator

from gexlab.data.lake.logged_files import DataFile, LoggedFiles, Said

#: Folder of each name as `docs/lake.md` spells it.
FOLDERS = {"A": "A", "AB": "AB", "a": "%61", "A/B": "A%2FB", "^A": "^A", "A.B": "A.B"}


class _Counted(dict[str, Said]):
    """Files by path that count how often somebody goes through all of them."""

    passes = 0

    def __iter__(self) -> Iterator[str]:
        """Iterate, and count it."""
        self.passes += 1
        return super().__iter__()


def _paths(name: str) -> list[str]:
    return [f"underlying={FOLDERS[name]}/year={year}/x.parquet" for year in (2025, 2024)]


def _files() -> _Counted:
    paths = [path for name in FOLDERS for path in _paths(name)] + ["trials/x.parquet"]
    return _Counted({path: DataFile(path, 1, 1, "", {}) for path in paths})


def test_files_of_a_name_are_no_others() -> None:
    files = LoggedFiles(_files())
    for name in FOLDERS:
        assert [file.path for file in files.of(name)] == _paths(name)
    assert files.of("B") == []
    assert files.underlyings() == sorted(FOLDERS)


def test_all_files_are_gone_through_once_for_all_names() -> None:
    said = _files()
    files = LoggedFiles(said)
    for name in FOLDERS:
        files.of(name)
    assert said.passes == 1
