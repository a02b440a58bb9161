"""Objects by our own reckoning, and what of a quarantine is to stay: many at once, in few processes.

What stays comes as a pack that no gc takes (`.keep`, see git-index-pack(1)) until it is released: by then a ref has it.
A loose object is never safe from `gc --prune=now`, not even behind a new ref: a gc that looked at the refs before
deletes it afterwards.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.errors import Fatal, GitError
from git_fleet.model.fleet import Repository
from git_fleet.model.landing import Author
from git_fleet.repo import git, merging
from git_fleet.repo.merging import Quarantine

TRIES = 10
_KINDS = MappingProxyType({"commit": 1, "tree": 2, "blob": 3})
"""How a pack says of what kind an object is."""
_DURABLE = ("-c", "core.fsync=objects,pack-metadata")


class Made(NamedTuple):
    """A commit to be made: `parents` are ids; one that is None is the commit made just before."""

    tree: str
    parents: tuple[str | None, ...]
    message: str
    author: Author | None = None
    """None: the user himself, now."""


def object_id(repository: Repository, kind: str, data: bytes) -> str:
    """The id that git gives to an object."""
    import hashlib

    return hashlib.new(repository.object_format, b"%s %d\0%s" % (kind.encode(), len(data), data)).hexdigest()


def commits(place: Quarantine, wanted: Sequence[Made], *, sign: bool) -> list[str]:
    """Real commits, by the user's identity, made in the quarantine; their ids, in order.

    In one process where nothing but the objects themselves has to be made; git's own `commit-tree` signs, re-encodes
    and mends what is no UTF-8. Raises GitError (no identity, signing fails).
    """
    odd = sign or not all(_plain(one.message + (_line(one.author) or "")) for one in wanted)
    if odd or git.ask(place.repository, "config", "--get", "i18n.commitEncoding").status == 0:
        return _one_by_one(place, wanted, sign=sign)
    author, committer = (merging.answer(place, "var", f"GIT_{who}_IDENT").strip() for who in ("AUTHOR", "COMMITTER"))
    return _written(place, [_Text(one, _line(one.author) or author, committer) for one in wanted])


def lines(place: Quarantine, wanted: Sequence[Made]) -> list[str]:
    """Make-believe commits in the quarantine, by nobody, each able to be the next one's parent; in one process."""
    nobody = "git fleet <git-fleet@invalid> 0 +0000"
    return _written(place, [_Text(one, nobody, nobody) for one in wanted])


def write_trees(place: Quarantine, trees: Sequence[bytes]) -> None:
    """Put tree objects into the quarantine, as one pack: hundreds of files of their own cost more than all the rest.

    They are not looked into: only whoever has git use them knows that they make sense.
    """
    pack = _packed(place.repository, [("tree", data) for data in trees])
    os.makedirs(f"{place.folder}/objects/pack", exist_ok=True)
    path = f"{place.folder}/objects/pack/pack-{pack[-20:].hex()}.pack"
    with open(path, "wb") as file:
        file.write(pack)
    merging.answer(place, "-c", "pack.threads=1", "index-pack", path)


def _packed(repository: Repository, objects: Sequence[tuple[str, bytes]]) -> bytes:
    """A pack of these objects: (kind, what it holds)."""
    import hashlib
    import zlib

    parts = [b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")]
    for kind, data in objects:
        parts += [_size(_KINDS[kind], len(data)), zlib.compress(data, 1)]
    pack = b"".join(parts)
    return pack + hashlib.new(repository.object_format, pack).digest()


def _size(kind: int, size: int) -> bytes:
    """The head of an object in a pack (gitformat-pack(5)): 4 bits of its size, then 7 bits a byte."""
    found = bytearray([kind << 4 | size & 15])
    size >>= 4
    while size:
        found[-1] |= 128
        found.append(size & 127)
        size >>= 7
    return bytes(found)


class _Text(NamedTuple):
    """What a commit says."""

    made: Made
    author: str
    committer: str


def _line(author: Author | None) -> str | None:
    return author and f"{author.name} <{author.mail}> {author.date}"


def _plain(message: str) -> bool:
    return "\0" not in message and not any("\ud800" <= char <= "\udfff" for char in message)


def author_variables(author: Author | None) -> dict[str, str]:
    """What tells git who the author is."""
    if author is None:
        return {}
    return {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.mail, "GIT_AUTHOR_DATE": f"@{author.date}"}


def _parents(one: Made, last: str) -> list[str]:
    return [last if parent is None else parent for parent in one.parents]


_UNSIGNED = (
    "git config --get-regexp '^(gpg|user.signingkey)'   # says with what",
    "git config commit.gpgSign false   # unsigned",
)


def _one_by_one(place: Quarantine, wanted: Sequence[Made], *, sign: bool) -> list[str]:
    found = [""]
    for one in wanted:
        words = [word for parent in _parents(one, found[-1]) for word in ("-p", parent)]
        args = ("commit-tree", *(("-S",) if sign else ()), *words, "-F", "-", one.tree)
        env = {**place.env, **author_variables(one.author)}
        made = git.ask(place.repository, *args, cwd=merging.top(place), stdin=one.message, env=env)
        if made.status and "sign" in made.stderr:  # whatever else fails, such as an object that is gone, is git's
            said = "; ".join(made.stderr.split("\n")).strip("; ")
            raise Fatal(f"a commit cannot be signed: {said}", _UNSIGNED)
        if made.status:
            raise GitError(args, made.status, made.stderr)
        found.append(made.stdout.strip())
    return found[1:]


def _written(place: Quarantine, wanted: Sequence[_Text]) -> list[str]:
    """Ids are reckoned first, since each commit names the one before; git writes them, and says the same."""
    if not wanted:
        return []
    found: list[str] = [""]
    paths: list[str] = []
    os.makedirs(f"{place.folder}/texts", exist_ok=True)
    for text in wanted:
        made = text.made
        head = [f"tree {made.tree}", *(f"parent {parent}" for parent in _parents(made, found[-1]))]
        head += [f"author {text.author}", f"committer {text.committer}"]
        data = ("\n".join(head) + f"\n\n{made.message}").encode("utf-8", "surrogateescape")
        found.append(object_id(place.repository, "commit", data))
        paths.append(f"{place.folder}/texts/{len(paths)}")
        with open(paths[-1], "wb") as file:
            file.write(data)
    args = ("hash-object", "-t", "commit", "-w", "--stdin-paths")
    told = merging.answer(place, *args, stdin="".join(f"{path}\n" for path in paths)).split()
    if told != found[1:]:
        raise GitError(args, 0, "git names a commit otherwise than reckoned")
    return told


def keep(place: Quarantine, tips: Sequence[str], known: Sequence[str], holder: str) -> None:
    """Bring commits and all that they need out of the quarantine into the repository, durably; nothing else of it.

    `known` are commits whose objects are there already; `holder` releases what is kept. Raises GitError.
    """
    packing = ("-c", "pack.threads=1", "-c", "pack.window=0", "pack-objects", "--revs", "--stdout", "--quiet")
    asked = "".join(f"{tip}\n" for tip in tips) + "".join(f"^{commit}\n" for commit in dict.fromkeys(known))
    pack = merging.answer(place, *packing, stdin=asked)
    if int.from_bytes(pack[8:12].encode("utf-8", "surrogateescape")[:4], "big"):
        _store(place.repository, pack, holder)


def whole(place: Quarantine, trees: Sequence[str], known: Sequence[str]) -> bool:
    """Is all still there that these trees hold and the commits `known` do not?

    git makes nothing in a quarantine that the repository has; and what no ref holds there, a gc may take at any time.
    """
    asked = "".join(f"{tree}\n" for tree in trees) + "".join(f"^{commit}\n" for commit in dict.fromkeys(known))
    return merging.ask(place, "rev-list", "--objects", "--quiet", "--stdin", stdin=asked).status == 0


def put(repository: Repository, made: Sequence[tuple[str, bytes]], holder: str) -> str:
    """Objects (kind, what it holds) that `holder` releases, durably in the repository; the id of the last one."""
    pack = _packed(repository, made)
    _store(repository, pack.decode("utf-8", "surrogateescape"), holder)
    return object_id(repository, *made[-1])


def _store(repository: Repository, pack: str, holder: str) -> None:
    """Tried again, since `git prune --expire=now` takes the unfinished files of others, too."""
    for left in reversed(range(TRIES)):
        args = (*_DURABLE, "index-pack", "--stdin", f"--keep={_note(holder)}")
        stored = git.ask(repository, *args, stdin=pack)
        if stored.status == 0:
            return
        if not left:
            raise GitError(args[2:], stored.status, stored.stderr)


def release(repository: Repository, holder: str) -> None:
    """What was brought in under this name is left to its refs: without one a gc may take it."""
    packs = f"{repository.common_dir}/objects/pack"
    with suppress(OSError):
        for name in os.listdir(packs):
            if name.endswith(".keep") and _reads(f"{packs}/{name}") == _note(holder):
                os.unlink(f"{packs}/{name}")


def _note(holder: str) -> str:
    return f"git fleet: {holder}"


def _reads(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.readline().rstrip("\n")
