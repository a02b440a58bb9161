"""Objects by our own reckoning, and what of a quarantine is to stay: many at once, in few processes."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Repository
from git_fleet.model.landing import Author
from git_fleet.repo import git, merging
from git_fleet.repo.merging import Quarantine

LOOSE = 100
"""Fewer objects are kept one by one, more as a pack: git's own rule for what it fetches."""
_TREE = 2
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
    import hashlib
    import zlib

    parts = [b"PACK" + (2).to_bytes(4, "big") + len(trees).to_bytes(4, "big")]
    for data in trees:
        parts += [_size(_TREE, len(data)), zlib.compress(data, 1)]
    pack = b"".join(parts)
    sum = hashlib.new(place.repository.object_format, pack).digest()
    os.makedirs(f"{place.folder}/objects/pack", exist_ok=True)
    path = f"{place.folder}/objects/pack/pack-{sum.hex()}.pack"
    with open(path, "wb") as file:
        file.write(pack + sum)
    merging.answer(place, "-c", "pack.threads=1", "index-pack", path)


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


def _one_by_one(place: Quarantine, wanted: Sequence[Made], *, sign: bool) -> list[str]:
    found = [""]
    for one in wanted:
        words = [word for parent in _parents(one, found[-1]) for word in ("-p", parent)]
        args = ("commit-tree", *(("-S",) if sign else ()), *words, "-F", "-", one.tree)
        env = {**place.env, **author_variables(one.author)}
        found.append(git.answer(place.repository, *args, cwd=merging.top(place), stdin=one.message, env=env).strip())
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


def keep(place: Quarantine, tips: Sequence[str], known: Sequence[str]) -> None:
    """Bring commits and all that they need out of the quarantine into the repository, durably; nothing else of it.

    `known` are commits whose objects are there already. Raises GitError.
    """
    packing = ("-c", "pack.threads=1", "-c", "pack.window=0", "pack-objects", "--revs", "--stdout", "--quiet")
    asked = "".join(f"{tip}\n" for tip in tips) + "".join(f"^{commit}\n" for commit in dict.fromkeys(known))
    pack = merging.answer(place, *packing, stdin=asked)
    count = int.from_bytes(pack[8:12].encode("utf-8", "surrogateescape")[:4], "big")
    if count == 0:
        return
    how = ("unpack-objects", "-q") if count < LOOSE else ("index-pack", "--stdin")
    merging.answer(merging.for_real(place), *_DURABLE, *how, stdin=pack)
