"""Trees reckoned here: a base's, with paths changed. Only the folders above those paths are read, in one process.

A landing of many branches that touch different paths needs the tree after each; git would be asked ninety times. What
comes out is a guess until git has merged the same: whoever uses it compares.
"""

from collections.abc import Iterable, Sequence

from git_fleet.model.fleet import Change
from git_fleet.repo import merging, objects
from git_fleet.repo.merging import Quarantine

_FOLDER = "40000"
_Entries = dict[str, tuple[str, str]]
"""name -> (mode, object id)"""


class Growing:
    """A tree that grows by changes; its objects are written when `write` is called."""

    def __init__(self, place: Quarantine, root: str, paths: Iterable[str]) -> None:
        """`root` is the tree to begin with, `paths` those that are going to change (others may follow, dearer)."""
        self._place = place
        self._base = root
        self._folders: dict[str, _Entries] = {}
        self._fresh: dict[str, bytes] = {}
        self._load(paths)

    def grow(self, changes: Sequence[Change]) -> str:
        """Change these paths; the id of the tree then. Raises ValueError for what no tree can hold."""
        if not changes:
            return self._settle("") if "" in self._folders else self._base
        self._load(change.path for change in changes)
        touched = set()
        for change in sorted(changes, key=lambda one: one.new_mode.strip("0") != ""):  # what goes makes room first
            folder, _, name = change.path.rpartition("/")
            entries = self._folders.setdefault(folder, {})
            if change.new_mode.strip("0"):
                entries[name] = (change.new_mode, change.new)
            else:
                entries.pop(name, None)
            touched.update(_above(change.path))
        root = ""
        for folder in sorted(touched, key=lambda path: (path != "", path.count("/")), reverse=True):
            root = self._settle(folder)
        return root

    def write(self) -> None:
        """Write what has not been written yet into the quarantine."""
        if self._fresh:
            objects.write_trees(self._place, list(self._fresh.values()))
            self._fresh.clear()

    def _settle(self, folder: str) -> str:
        """The id of a folder as it is now; the folder above knows it, or that it is empty."""
        entries = self._folders.get(folder, {})
        above, _, name = folder.rpartition("/")
        if folder and not entries:
            if self._folders.setdefault(above, {}).get(name, ("", ""))[0] == _FOLDER:
                del self._folders[above][name]
            return ""
        data = _written(entries)
        oid = objects.object_id(self._place.repository, "tree", data)
        self._fresh[oid] = data
        if folder:
            self._folders.setdefault(above, {})[name] = (_FOLDER, oid)
        return oid

    def _load(self, paths: Iterable[str]) -> None:
        """Read the folders above paths, as far as that was not done; one that is not there is empty."""
        wanted = list(dict.fromkeys(folder for path in paths for folder in _above(path)))
        wanted = [folder for folder in wanted if folder not in self._folders]
        if any("\n" in folder for folder in wanted):
            raise ValueError("a folder's name has a line break")
        names = [f"{self._base}:{folder}" if folder else self._base for folder in wanted]
        found = merging.contents(self._place, names, "tree")
        length = len(self._base) // 2
        self._folders.update({f: _read(data, length) for f, data in zip(wanted, found, strict=True)})


def _above(path: str) -> list[str]:
    """`a/b/c`: `a/b`, `a` and the top."""
    found = []
    while path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def _written(entries: _Entries) -> bytes:
    """A tree object: git sorts a folder as if its name ended in `/`."""
    rows = ((name.encode("utf-8", "surrogateescape"), mode, oid) for name, (mode, oid) in entries.items())
    ordered = sorted(rows, key=lambda row: row[0] + (b"/" if row[1] == _FOLDER else b""))
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for name, mode, oid in ordered)


def _read(data: bytes | None, length: int) -> _Entries:
    """The entries of a tree object, whose ids have `length` bytes; none of what is no tree."""
    entries: _Entries = {}
    at = 0
    while data and at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + length
        entries[name.decode("utf-8", "surrogateescape")] = (mode.decode(), data[end + 1 : at].hex())
    return entries
