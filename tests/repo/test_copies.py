"""Copies of ignored files: what is chosen, and how it gets there without leaving either tree."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.repo import copies


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    ignored = ".env\nsecret/\n*.log\n.worktrees/\nnode_modules\n"
    return make_repo(tmp_path / "app", {"file": "x\n", "kept.log.txt": "x\n", ".gitignore": ignored})


def chosen(repo: Repo, *patterns: str) -> list[str]:
    return copies.chosen(rooms.of(repo), str(repo.path), "".join(f"{one}\n" for one in patterns))


def test_only_what_git_ignores_is_chosen(repo: Repo) -> None:
    repo.write({".env": "1", "a/.env": "2", "secret/key": "3", "draft": "4", "a/b.log": "5", "a/c.log": "6"})
    repo.git("add", "-f", "a/c.log")
    assert chosen(repo, "*") == [".env", "a/.env", "a/b.log", "secret/key"]
    assert chosen(repo, "/.env", "draft", "file") == [".env"]
    assert chosen(repo, ".env", "!a/.env", "# secret/", "*.log\r") == [".env", "a/b.log"]
    assert chosen(repo, "/etc/passwd", "../app/.env", "/") == []
    odd = [":(top)x.log", "a\nb.log", "[x].log", "ä.log", "-x.log", " .log"]
    repo.write(dict.fromkeys(odd, "x"))
    assert chosen(repo, "*.log", "!a/") == sorted(["a/b.log", *odd])


def test_nothing_of_a_repository_inside(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", ".worktrees/other")
    repo.git("init", "-q", "node_modules/nested")
    repo.write(
        {".worktrees/other/.env": "1", "node_modules/nested/.env": "2", "secret/.GIT/config": "3", "secret/a": "4"}
    )
    assert chosen(repo, "*") == ["secret/a"]


def test_patterns_of_the_file_come_first(repo: Repo) -> None:
    top = str(repo.path)
    assert copies.patterns(top, ()) == ""
    assert copies.patterns(top, ("a", "!b")) == "a\n!b\n"
    repo.write({copies.INCLUDE: "# all\n\n"})
    assert copies.patterns(top, ()) == ""
    assert copies.patterns(top, ("",)) == ""
    repo.write({copies.INCLUDE: "*.log"})
    assert copies.patterns(top, ("!b.log",)) == "*.log\n!b.log\n"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_file_of_patterns_that_is_none(repo: Repo, kind: str) -> None:
    path = repo.path / copies.INCLUDE
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    if kind == "fifo":
        assert copies.patterns(str(repo.path), ()) == ""
    else:
        with pytest.raises(OSError):
            copies.patterns(str(repo.path), ())


# ----------------------------------------------------------------------------------------------------------- copied


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """An open folder to copy into."""
    (tmp_path / "there").mkdir()
    fd = os.open(tmp_path / "there", os.O_RDONLY)
    yield tmp_path / "there", fd
    os.close(fd)


def write(place: Path, content: str = "x\n", mode: int = 0o644) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)
    place.chmod(mode)
    return place


def test_copies_are_no_links(tmp_path: Path, there: tuple[Path, int]) -> None:
    here, (top, fd) = tmp_path / "here", there
    one = write(here / "a/b/run", "content\n", 0o750)
    os.link(one, here / "a/twin")
    os.utime(one, ns=(10**18, 10**18 + 7))
    (here / "a/b").chmod(0o700)
    (here / "a/b/to").symlink_to("../twin")
    write(here / "big", "0123456789" * 300_000)
    told: list[int] = []
    assert copies.copy(str(here), fd, ["a/b/run", "a/b/to", "a/twin", "big"], told.append) == []
    seen = (top / "a/b/run").stat()
    assert (stat.S_IMODE(seen.st_mode), seen.st_mtime_ns, seen.st_nlink) == (0o750, 10**18 + 7, 1)
    assert seen.st_ino != one.stat().st_ino and stat.S_IMODE((top / "a/b").stat().st_mode) == 0o700
    assert os.readlink(top / "a/b/to") == "../twin" and (top / "a/b/to").read_text() == "content\n"
    assert (top / "big").read_bytes() == (here / "big").read_bytes()
    assert told == [1, 2, 3, 4]
    write(top / "a/b/run", "changed\n")
    assert one.read_text() == "content\n"


def test_nothing_is_overwritten_or_followed(tmp_path: Path, there: tuple[Path, int]) -> None:
    here, (top, fd) = tmp_path / "here", there
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("mine", "config/x", "file/x", "link", "last"):
        write(here / name)
    write(top / "mine", "older\n")
    write(top / "file")
    (top / "config").symlink_to(outside)
    (top / "link").symlink_to(outside / "new")
    left = copies.copy(str(here), fd, ["config/x", "file/x", "last", "link", "mine"], lambda _: None)
    assert [path for path, _ in left] == ["config/x", "file/x", "link", "mine"]
    assert (top / "mine").read_text() == "older\n" and (top / "last").read_text() == "x\n"
    assert list(outside.iterdir()) == []


def test_what_is_no_file_is_left_out(tmp_path: Path, there: tuple[Path, int]) -> None:
    here, (top, fd) = tmp_path / "here", there
    outside = write(tmp_path / "outside/x")
    here.mkdir()
    (here / "folder").symlink_to(outside.parent)
    os.mkfifo(here / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(here)
        server.bind("socket")
    links = {"absolute": "/etc/passwd", "up": "../outside/x", "git": ".git/config"}
    for name, link in links.items():
        (here / name).symlink_to(link)
    left = copies.copy(str(here), fd, [*sorted(links), "fifo", "folder/x", "gone", "socket"], lambda _: None)
    assert dict(left) == {
        **dict.fromkeys(links, "a link that leads out of the tree"),
        **dict.fromkeys(("fifo", "socket"), "no plain file"),
        "folder/x": "not a directory",
        "gone": "no such file or directory",
    }
    assert list(top.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------- alike


def test_alike_is_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, top = tmp_path / "here", tmp_path / "top"
    for place in (here, top):
        for name in ("same", "longer", "other", "kind", "all/a/b", "more/a", "gone", "hidden/a"):
            write(place / name)
        (place / "link").symlink_to("same")
        (place / "turned").symlink_to("same" if place == here else "other")
    write(top / "longer", "x\ny\n")
    write(top / "other", "y\n")
    write(top / "more/b")
    write(here / "all/only-here")
    write(top / "hidden/.git/config")
    (here / "gone").unlink()
    (here / "kind").unlink()
    (here / "kind").symlink_to("same")
    (here / "through").symlink_to("all")
    write(top / "through/a/b")
    paths = ("same", "longer", "other", "kind", "all/", "more/", "gone", "hidden/", "link", "turned", "through/a/b")
    assert copies.same(str(here), str(top), paths) == ("same", "all/", "link")
    monkeypatch.setattr(copies, "MOST_COMPARED", 1)
    assert copies.same(str(here), str(top), paths) == ("link",)
