"""Settings: git configuration with the defaults filled in, read once, in one call, as plain values."""

import os
import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Base, Repository, Worktree
from git_fleet.model.settings import DISPOSABLE, Gate, Settings
from git_fleet.repo import git

_WANTED = r"^(fleet|fleetgate|fleetagent|color|advice|commit)\."
_FALSE = frozenset(("false", "no", "off", "0", ""))
_TRUE = frozenset(("true", "yes", "on", "1"))
_UNITS = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0})


_MOST_DIGITS = 9
"""Python reads no number of more than a few thousand digits, and nobody means one."""


def load(repository: Repository) -> Settings:
    """All settings. Raises Fatal, naming the key, for a value that makes no sense."""
    plain: dict[str, list[str]] = {}
    rows: dict[str, list[tuple[str, str]]] = {}
    gates: list[Gate] = []
    agents: dict[str, str] = {}
    for key, value in git.config_entries(repository, _WANTED):
        section, _, rest = key.partition(".")
        name, dot, variable = rest.rpartition(".")
        if section == "fleet" and dot:
            rows.setdefault(name, []).append((variable, value))
        elif section == "fleetgate" and variable == "command":
            gates.append(Gate(name, value))
        elif section == "fleetagent" and variable == "command":
            agents[name] = value
        else:
            plain.setdefault(key, []).append(value)
    default = Settings()
    return Settings(
        plan=_last(plain, "fleet.plan"),
        base=_last(plain, "fleet.base"),
        branch=_last(plain, "fleet.branch") or default.branch,
        worktree=_last(plain, "fleet.worktree") or default.worktree,
        limit=_number(plain, "fleet.limit"),
        review_s=_seconds(plain, "fleet.review", default.review_s),
        message=_last(plain, "fleet.message"),
        strategy=_choice(plain, "fleet.strategy", ("merge", "squash", "rebase", "ff")),
        gates=(*_plain_gates(plain), *gates),
        gate_mode=_choice(plain, "fleet.gatemode", ("each", "tip")),
        gate_jobs=_number(plain, "fleet.gatejobs") or max(1, (os.cpu_count() or 2) // 2),
        gate_timeout_s=_seconds(plain, "fleet.gatetimeout", default.gate_timeout_s),
        gate_retries=_retries(plain),
        copy=_several(plain, "fleet.copy"),
        setup=_several(plain, "fleet.setup"),
        ports=_number(plain, "fleet.ports") or default.ports,
        port_base=_number(plain, "fleet.portbase") or default.port_base,
        disposable=_several(plain, "fleet.disposable", DISPOSABLE),
        agent=_last(plain, "fleet.agent"),
        agents=agents,
        quiet_after_s=_seconds(plain, "fleet.quietafter", default.quiet_after_s),
        write_status=_flag(plain, "fleet.writestatus", default=True),
        sign=_flag(plain, "commit.gpgsign", default=False),
        color=_color(plain, "color.fleet") or _color(plain, "color.ui") or default.color,
        hints=_flag(plain, "advice.fleet", default=True),
        rows=tuple((name, tuple(entries)) for name, entries in rows.items()),
    )


def _plain_gates(plain: dict[str, list[str]]) -> list[Gate]:
    """Those without a name of their own: `gate`; of several, `gate 1`, `gate 2`, …"""
    commands = [command for command in plain.get("fleet.gate", ()) if command]
    return [
        Gate("gate" if len(commands) == 1 else f"gate {number}", command) for number, command in enumerate(commands, 1)
    ]


def base_of(repository: Repository, settings: Settings, worktrees: tuple[Worktree, ...], onto: str | None) -> Base:
    """The base: `onto`, else `fleet.base`, else the remote HEAD's branch, `main`, `master`, the main worktree's branch.

    Where that is a symbolic ref, the branch that it names: this one is checked out, and moves.
    Raises Fatal when it does not exist or has no commit yet.
    """
    named = onto or settings.base
    heads = git.branches(repository, ("refs/heads/",))
    for name in [named] if named else _guesses(repository, worktrees):
        ref = f"refs/heads/{name.removeprefix('refs/heads/')}"
        branch = heads.get(ref) or heads.get(git.symbolic_ref(repository, ref) or "")
        if branch:
            return Base(branch.short, branch.tip, branch.tree)
    broken = git.without_objects(repository, git.refs(repository, "refs/heads/"))
    if broken:
        raise Fatal(f"the commits of some branches are not in the repository: {', '.join(broken[:5])}", ["git fsck"])
    if named:
        raise Fatal(
            f"the base '{named}' is not a branch with commits", [f"git branch {named} <commit>, or set fleet.base"]
        )
    raise Fatal(
        "no base: there is no branch with a commit yet", ["make a first commit, or: git config fleet.base <branch>"]
    )


def _guesses(repository: Repository, worktrees: tuple[Worktree, ...]) -> Iterator[str]:
    remote = git.symbolic_ref(repository, "refs/remotes/origin/HEAD")
    if remote:
        yield remote.removeprefix("refs/remotes/origin/")
    yield from ("main", "master")
    yield next((tree.branch for tree in worktrees if tree.main), None) or git.symbolic_ref(repository, "HEAD") or ""


def _several(plain: dict[str, list[str]], key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
    """The values of the default and of the key; an empty value starts anew, as with git's own lists."""
    values = [*default, *plain.get(key, ())]
    start = max((at + 1 for at, value in enumerate(values) if not value), default=0)
    return tuple(values[start:])


def _last(plain: dict[str, list[str]], key: str) -> str | None:
    values = plain.get(key)
    return values[-1] if values and values[-1] else None


def _flag(plain: dict[str, list[str]], key: str, *, default: bool) -> bool:
    values = plain.get(key)
    if not values:
        return default
    word = values[-1].lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Fatal(f"bad value '{values[-1]}' for '{key}': true or false")


def _color(plain: dict[str, list[str]], key: str) -> str | None:
    value = (_last(plain, key) or "").lower()
    if value in ("", "always", "never", "auto"):
        return value or None
    if value in _TRUE or value in _FALSE:
        return "auto" if value in _TRUE else "never"
    raise Fatal(f"bad value '{value}' for '{key}': always, never or auto")


def _number(plain: dict[str, list[str]], key: str) -> int | None:
    value = _last(plain, key)
    if value is None:
        return None
    if not value.isdecimal() or len(value) > _MOST_DIGITS or int(value) < 1:
        raise Fatal(f"bad value '{value}' for '{key}': a number from 1")
    return int(value)


def _retries(plain: dict[str, list[str]]) -> int:
    value = _last(plain, "fleet.gateretries") or "1"
    if not value.isdecimal() or len(value) > _MOST_DIGITS:
        raise Fatal(f"bad value '{value}' for 'fleet.gateRetries': a number from 0")
    return int(value)


def _choice(plain: dict[str, list[str]], key: str, choices: tuple[str, ...]) -> str:
    value = _last(plain, key) or choices[0]
    if value not in choices:
        raise Fatal(f"bad value '{value}' for '{key}': one of {', '.join(choices)}")
    return value


def _seconds(plain: dict[str, list[str]], key: str, default: float) -> float:
    value = _last(plain, key)
    if value is None:
        return default
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", value)
    if not match:
        raise Fatal(f"bad value '{value}' for '{key}': a duration such as 90s, 10m, 1h")
    return float(match[1]) * _UNITS[match[2] or "s"]
