"""The plan as a YAML orchestration file. Only its events are read: text, lists and mappings of text, nothing is made
of a tag, an anchor or an alias, and no value is anything but text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from git_fleet.model.errors import Fatal, PlanError
from git_fleet.model.plan import Problem, Row
from git_fleet.plan import files
from git_fleet.plan.legible import check_visible, decoded, unfit
from git_fleet.plan.names import need_words, nothing
from git_fleet.plan.rows import lines
from git_fleet.plan.sheet import COMMAND_WORDS, Sheet, command_ignored, warning

_MOST_BYTES = 4 * 1024 * 1024
_MOST_ROWS = 20_000
_MOST_DEPTH = 8
_MOST_VALUE = 64 * 1024

_FIELDS = MappingProxyType(
    {
        "id": ("id",),
        "title": ("description", "title"),
        "branch": ("branch",),
        "worktree": ("worktree",),
        "owns": ("owns", "files"),
        "needs": ("dependencies", "depends_on", "needs"),
        "status": ("status",),
        "agent": ("agent",),
        "prompt": ("prompt",),
        "checklist": ("checklist",),
        "estimate": ("estimated_time", "estimate"),
        "priority": ("priority",),
    }
)
"""The first of each is the one that is written."""

_BREAK = re.compile(r"\s*[\t\r\n]\s*")
_PLAIN_NULL = frozenset(("", "~", "null", "Null", "NULL"))


class Text(NamedTuple):
    """A scalar as it stands in the file."""

    value: str
    line: int


class List(NamedTuple):
    items: tuple["Node", ...]
    line: int


class Map(NamedTuple):
    """Keys once each, in order, with the line of the key."""

    entries: Mapping[str, tuple[int, "Node"]]
    line: int


Node = Text | List | Map


def read(path: str) -> Sheet:
    """The rows under `subtasks`, and what else the file says.

    Raises PlanError, naming file and line, for a file that is no plan or tries to be more than data; Fatal without the
    YAML library.
    """
    return parsed(files.read(path), files.shown(path))


def parsed(data: bytes, shown: str) -> Sheet:
    """The same of a file's bytes."""
    if len(data) > _MOST_BYTES:
        raise PlanError(f"larger than {_MOST_BYTES // 1024**2} MiB", shown)
    _, text = decoded(data, shown)
    for line in lines(text):
        check_visible(line, shown)
    return _Reader(shown).sheet(_tree(text, shown))


# -------------------------------------------------------------------------------------------------------------- events


def _tree(text: str, shown: str) -> Node:
    """The one document of the text. Raises PlanError with the line for all that is not plain data."""
    try:
        import yaml
    except ImportError:
        raise Fatal(
            f"cannot read '{shown}': a plan in YAML needs PyYAML",
            ["pip install 'git-fleet[yaml]', or: pip install PyYAML"],
        ) from None
    try:
        found = tuple(_built(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), shown))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PlanError(f"no YAML: {error.problem or error.context}", shown, mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise PlanError(f"no YAML: {str(error).splitlines()[0]}", shown, 1) from None
    if not found:
        raise PlanError("no plan here: the file is empty", shown, 1)
    if len(found) > 1:
        raise PlanError("a second document: one file holds one plan", shown, found[1].line)
    return found[0]


def _built(events: Iterable[Any], shown: str) -> Iterator[Node]:
    """Every document. The stack is ours, so depth costs nothing but its limit."""
    stack: list[tuple[Any, list[Node]]] = []
    for event in events:
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind == "AliasEvent":
            raise PlanError(f"alias '*{event.anchor}': a plan has none", shown, line)
        if getattr(event, "anchor", None):
            raise PlanError(f"anchor '&{event.anchor}': a plan has none", shown, line)
        if getattr(event, "tag", None):
            raise PlanError(f"tag '{event.tag}': a plan is text, lists and mappings alone", shown, line)
        if kind in ("SequenceStartEvent", "MappingStartEvent"):
            if len(stack) == _MOST_DEPTH:
                raise PlanError(f"more than {_MOST_DEPTH} levels deep", shown, line)
            stack.append((event, []))
            continue
        if kind == "ScalarEvent":
            node: Node = _text(event, line, shown)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            start, nodes = stack.pop()
            first = start.start_mark.line + 1
            node = List(tuple(nodes), first) if kind == "SequenceEndEvent" else _map(nodes, first, shown)
        else:
            continue
        if stack:
            stack[-1][1].append(node)
        else:
            yield node


def _text(event: Any, line: int, shown: str) -> Text:
    if len(event.value) > _MOST_VALUE:
        raise PlanError(f"a value of more than {_MOST_VALUE // 1024} KiB", shown, line)
    value = event.value.strip()
    if not value.isprintable():
        value = _BREAK.sub(" ", value)
    why = unfit(value)
    if why:
        raise PlanError(f"a value holds {why}", shown, line)
    return Text("" if not event.style and value in _PLAIN_NULL else value, line)


def _map(nodes: Sequence[Node], line: int, shown: str) -> Map:
    entries: dict[str, tuple[int, Node]] = {}
    for key, value in zip(nodes[::2], nodes[1::2], strict=True):
        if not isinstance(key, Text):
            raise PlanError("a key that is no text", shown, key.line)
        if key.value in entries:
            raise PlanError(f"key '{key.value}' twice; first in line {entries[key.value][0]}", shown, key.line)
        entries[key.value] = (key.line, value)
    return Map(entries, line)


# ------------------------------------------------------------------------------------------------------------- meaning


class _Reader(NamedTuple):
    """Makes rows of nodes; `shown` is the file as messages name it."""

    shown: str

    def sheet(self, root: Node) -> Sheet:
        top = self.mapping(root, "a plan in YAML")
        if "subtasks" not in top.entries:
            raise PlanError("no plan here: the key 'subtasks' is missing", self.shown, root.line)
        listed = self.listed(top.entries["subtasks"][1], "subtasks")
        if len(listed) > _MOST_ROWS:
            raise PlanError(f"more than {_MOST_ROWS:,} subtasks", self.shown, listed[_MOST_ROWS].line)
        maps = [self.mapping(node, "a subtask") for node in listed]
        task = top.entries.get("task")
        _, wanted = top.entries.get("integration", (0, Map({}, 0)))
        integration = self.mapping(wanted, "integration") if not _empty(wanted) else Map({}, 0)
        strategy = integration.entries.get("strategy")
        tests = integration.entries.get("validation_tests")
        names = frozenset(name for synonyms in _FIELDS.values() for name in synonyms)
        odd = [
            *_unknown((top,), frozenset(("task", "subtasks", "integration"))),
            *_unknown(maps, names),
            *_unknown((integration,), frozenset(("strategy", "validation_tests"))),
        ]
        return Sheet(
            rows=tuple(self.row(one) for one in maps),
            problems=tuple(_left_aside(name, line) for name, line in odd),
            title=self.one(task[1], "task") if task else None,
            strategy=self.one(strategy[1], "strategy") if strategy else None,
            tests=self.many(tests[1], "validation_tests") if tests else (),
            others=tuple(f"key {name}" for name, _ in odd),
        )

    def row(self, entry: Map) -> Row:
        values: dict[str, Any] = {}
        for field, synonyms in _FIELDS.items():
            given = [name for name in synonyms if name in entry.entries]
            if len(given) > 1:
                line = entry.entries[given[1]][0]
                raise PlanError(f"'{given[0]}' and '{given[1]}' say the same thing: keep one", self.shown, line)
            for name in given:
                node = entry.entries[name][1]
                values[field] = self.many(node, name) if field in ("owns", "needs") else self.one(node, name)
        needs = [need for text in values.get("needs", ()) for need in need_words(text)]
        values["needs"] = tuple(dict.fromkeys(needs))
        values["id"] = (values.get("id") or "").removeprefix("#")
        return Row(**values, line=entry.line)

    def one(self, node: Node, name: str) -> str | None:
        if not isinstance(node, Text):
            raise PlanError(f"'{name}' has to be one value", self.shown, node.line)
        return nothing(node.value)

    def many(self, node: Node, name: str) -> tuple[str, ...]:
        values = [self.one(item, name) for item in self.listed(node, name)]
        return tuple(dict.fromkeys(value for value in values if value is not None))

    def listed(self, node: Node, name: str) -> tuple[Node, ...]:
        """The items of a list; one text stands for a list of it."""
        if isinstance(node, Map):
            raise PlanError(f"'{name}' has to be a list", self.shown, node.line)
        return (node,) if isinstance(node, Text) and not _empty(node) else node.items if isinstance(node, List) else ()

    def mapping(self, node: Node, name: str) -> Map:
        if not isinstance(node, Map):
            raise PlanError(f"{name} has to be a mapping, key: value", self.shown, node.line)
        return node


def _empty(node: Node) -> bool:
    return isinstance(node, Text) and not node.value


def _unknown(maps: Iterable[Map], known: frozenset[str]) -> Iterator[tuple[str, int]]:
    """(key, line) of each key that is none, where it first stands."""
    found: dict[str, int] = {}
    for one in maps:
        for name, (line, _) in one.entries.items():
            if name not in known:
                found.setdefault(name, line)
    return iter(found.items())


def _left_aside(name: str, line: int) -> Problem:
    if name.casefold() in COMMAND_WORDS:
        return command_ignored("key", name, line)
    return warning("unknown-key", f"key '{name}' is unknown and ignored", line)


# ------------------------------------------------------------------------------------------------------------- writing


def document(sheet: Sheet) -> str:
    """The text of an orchestration file with these rows. Every value is quoted, so that it reads as it was."""
    out = [f"task: {_quoted(sheet.title or 'Plan')}", "subtasks:" if sheet.rows else "subtasks: []"]
    for row in sheet.rows:
        said = [(names[0], getattr(row, field)) for field, names in _FIELDS.items()]
        entries = [f"{name}: {_written(value)}" for name, value in said if value or name == "id"]
        out += [f"  {'  ' if number else '- '}{entry}" for number, entry in enumerate(entries)]
    if sheet.strategy or sheet.tests:
        out.append("integration:")
        out += [f"  strategy: {_quoted(sheet.strategy)}"] if sheet.strategy else []
        out += [f"  validation_tests: {_written(sheet.tests)}"] if sheet.tests else []
    return "\n".join([*out, ""])


def _written(value: str | tuple[str, ...]) -> str:
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(map(_quoted, value))}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
