"""What kind of conflict is it? From git's short stable types of remarks, and from the index entries it leaves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import MappingProxyType

from git_fleet.model.sight import Notice, Stage

CONTENT = "CONFLICT (contents)"
MERGED = "Auto-merging"
"""The type of the remark that two versions of a file were merged line by line, or by a driver."""

_KINDS = MappingProxyType(
    {
        "CONFLICT (binary)": "binary",
        "CONFLICT (file/directory)": "file/directory",
        "CONFLICT (distinct modes)": "mode",
        "CONFLICT (modify/delete)": "modify/delete",
        "CONFLICT (rename/rename)": "rename/rename",
        "CONFLICT (rename involved in collision)": "rename/add",
        "CONFLICT (rename/delete)": "rename/delete",
    }
)


def kinds(stages: Sequence[Stage], notices: Iterable[Notice]) -> tuple[str, ...]:
    """The kinds of a merge's conflicts, each once, in git's order (see Pair.kinds)."""
    by_path: defaultdict[str, dict[int, Stage]] = defaultdict(dict)
    for stage in stages:
        by_path[stage.path][stage.number] = stage
    remarks = [notice for notice in notices if notice.type.startswith("CONFLICT")]
    told = {path for notice in remarks for path in notice.paths if notice.type != CONTENT}
    found: list[str | None] = []
    for notice in remarks:
        if notice.type != CONTENT:
            found.append(_of_type(notice.type))
        else:
            found += [_of_content(by_path.get(path, {}), also=path in told) for path in notice.paths]
    named = {path for notice in remarks for path in notice.paths}
    found += [_of_stages(sides) for path, sides in by_path.items() if path not in named]
    return tuple(dict.fromkeys(kind for kind in found if kind))


def _of_type(type: str) -> str:
    if type in _KINDS:
        return _KINDS[type]
    if "submodule" in type:
        return "submodule"
    if "directory rename" in type:
        return "directory rename"
    return type.removeprefix("CONFLICT").strip(" ()")


def _of_content(sides: dict[int, Stage], *, also: bool) -> str | None:
    """Of a path whose contents did not merge. `also`: another remark says more about it, binary for one."""
    if also or not sides:
        return None if also else "content"
    return _of_stages(sides)


def _of_stages(sides: dict[int, Stage]) -> str:
    if {2, 3} <= sides.keys():
        ours, theirs = sides[2], sides[3]
        if "160000" in (ours.mode, theirs.mode):
            return "submodule"
        if ours.mode != theirs.mode and (ours.oid == theirs.oid or "120000" in (ours.mode, theirs.mode)):
            return "mode"
        return "content" if 1 in sides else "add/add"
    return "modify/delete" if 1 in sides else "add/add"
