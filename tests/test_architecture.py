"""The house keeps its rooms: imports go down only, libraries stay in their room, files and functions stay small.

Each rule is a function from one parsed module to what is wrong with it; each is shown a bad snippet below.
"""

import ast
import graphlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import kit
import pytest

PACKAGE = "git_fleet"
FLOORS = {
    "model": 0,
    "repo": 1,
    "plan": 1,
    "journal": 1,
    "analysis": 2,
    "operations": 3,
    "output": 4,
    "commands": 5,
    "front": 5,
    "cli": 5,
    "start": 5,
}
MAY_USE = {
    "model": {"model"},
    "repo": {"model", "repo"},
    "plan": {"model", "repo", "plan"},
    "journal": {"model", "journal"},
    "analysis": {"model", "analysis"},
    "operations": {"model", "repo", "plan", "journal", "analysis", "operations"},
    "output": {"model", "output"},
    # No command uses another one: what they share is in front.py.
    "commands": {"model", "repo", "plan", "journal", "analysis", "operations", "output", "front"},
    "front": {"model", "repo", "plan", "journal", "analysis", "operations", "output"},
    "cli": {"model", "repo", "plan", "journal", "analysis", "operations", "output", "commands", "front"},
    "start": {"model", "operations", "cli"},
    "__main__": {"start"},
    "__init__": set(),
}
LIBRARIES = {
    "subprocess": ("repo/process.py",),
    "pygit2": ("repo/objects.py", "repo/worktrees.py"),
    "sqlite3": ("journal/",),
    "tabulate": ("output/",),
    "click": ("cli.py", "front.py", "commands/"),
    "pathspec": ("analysis/ownership.py", "analysis/disposable.py"),
}
WITHOUT_THE_WORLD = {"os", "io", "time", "datetime", "random", "socket", "shutil", "tempfile", "glob", "pathlib", "sys"}
LAZY = {"pygit2", "tabulate", "pathspec"}
NEVER = {"logging", "importlib.metadata", "pkg_resources", "asyncio"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
FROZEN_CALLS = {
    "MappingProxyType",
    "partial",
    "tuple",
    "frozenset",
    "compile",
    "TypeVar",
    "NewType",
    "namedtuple",
    "object",
}
LOUD_FLOORS = {5}


class Module(NamedTuple):
    """One file of the package; `path` is relative to the package."""

    path: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.removesuffix(".py").split("/")[0]

    @property
    def name(self) -> str:
        dotted = f"{PACKAGE}/{self.path}".removesuffix(".py").removesuffix("/__init__")
        return dotted.replace("/", ".")

    @property
    def floor(self) -> int:
        return FLOORS.get(self.room, 5)


def parsed(path: str, text: str) -> Module:
    return Module(path, text, ast.parse(text))


def modules() -> list[Module]:
    package = kit.ROOT / PACKAGE
    return [parsed(str(path.relative_to(package)), path.read_text()) for path in sorted(package.rglob("*.py"))]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import, nested ones and those for type checkers too."""
    package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (start, node.module) if part)
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"
        elif isinstance(node, ast.Call) and called(node).endswith("import_module") and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, name.value


def called(node: ast.Call) -> str:
    """The dotted name of what is called, as far as it has one."""
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def is_of(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")


# --------------------------------------------------------------------------------------------------------------- rules


def goes_up(module: Module) -> Iterator[str]:
    """An import of a room that this room may not use."""
    for line, name in imports(module):
        room = name.split(".")[1] if name.startswith(f"{PACKAGE}.") else None
        if room in FLOORS and room not in MAY_USE[module.room]:
            yield f"{line}: {module.room} may not use {name}"


def library_outside_its_room(module: Module) -> Iterator[str]:
    for line, name in imports(module):
        for library, rooms in LIBRARIES.items():
            if is_of(name, library) and not module.path.startswith(rooms):
                yield f"{line}: {library} belongs to {', '.join(rooms)}"
        if any(is_of(name, library) for library in NEVER):
            yield f"{line}: {name} is never used"


def heavy_at_the_top(module: Module) -> Iterator[str]:
    """A slow library is loaded by the function that uses it, never by start-up."""
    for node in top_level(module.tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            one = Module(module.path, "", ast.Module([node], []))
            for line, name in imports(one):
                if name.split(".")[0] in LAZY:
                    yield f"{line}: {name} is loaded at start-up"


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import; not what is for type checkers only."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from top_level(getattr(node, part, []))


def speaks(module: Module) -> Iterator[str]:
    """Output outside the front door."""
    if module.floor in LOUD_FLOORS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = called(node)
            if (
                name == "print"
                or name.endswith("click.echo")
                or name.startswith(("sys.stdout.write", "sys.stderr.write"))
            ):
                yield f"{node.lineno}: {name} outside the front door"
        elif isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and ast.unparse(node.value) == "sys":
            yield f"{node.lineno}: sys.{node.attr} outside the front door"


def remembers(module: Module) -> Iterator[str]:
    """Module-level mutable state; class bodies count."""
    if module.path.endswith("__main__.py"):
        return
    for node in top_level(module.tree.body):
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        names = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
        if value is not None and names not in (["__all__"], ["__slots__"]) and is_mutable(value, module):
            yield f"{node.lineno}: mutable state {ast.unparse(node)[:60]}"
    for inner in ast.walk(module.tree):
        if isinstance(inner, ast.Global):
            yield f"{inner.lineno}: global {', '.join(inner.names)}"
        if isinstance(inner, ast.FunctionDef) and any("cache" in ast.unparse(mark) for mark in inner.decorator_list):
            yield f"{inner.lineno}: a cache is module-level state: {inner.name}"


def is_mutable(value: ast.expr, module: Module) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp):
        return True
    if isinstance(value, ast.Tuple):
        return any(is_mutable(item, module) for item in value.elts)
    if isinstance(value, ast.Call):
        return called(value).rpartition(".")[2] in {
            "list",
            "dict",
            "set",
            "defaultdict",
            "deque",
            "bytearray",
            "Counter",
        } or (module.floor not in LOUD_FLOORS and not is_value(called(value), module))
    return False


def is_value(name: str, module: Module) -> bool:
    """Calls that make a value: known frozen makers, methods of text, and named tuples (by their capital)."""
    last = name.rpartition(".")[2]
    return last in FROZEN_CALLS or last in ("join", "split", "format", "encode") or last[:1].isupper()


def too_long(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGEST_FILE:
        yield f"1: {lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {length} lines"


def unexplained(module: Module) -> Iterator[str]:
    """Missing annotations anywhere; on floors 1 to 3, missing docstrings of public modules and functions."""
    if module.floor in (1, 2, 3) and not ast.get_docstring(module.tree):
        yield "1: no docstring"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            public = node in module.tree.body and not node.name.startswith("_")
            if public and module.floor in (1, 2, 3) and not ast.get_docstring(node):
                yield f"{node.lineno}: {node.name} has no docstring"
            arguments = [
                *node.args.posonlyargs,
                *node.args.args,
                *node.args.kwonlyargs,
                node.args.vararg,
                node.args.kwarg,
            ]
            bare = [arg.arg for arg in arguments if arg and not arg.annotation and arg.arg not in ("self", "cls")]
            if bare or node.returns is None:
                yield f"{node.lineno}: {node.name} lacks annotations {bare or 'of its result'}"


def runs_a_shell(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = called(node)
            starts = name in ("os.system", "os.popen") or name.startswith(("os.spawn", "os.exec", "os.posix_spawn"))
            if starts and not (name.startswith("os.exec") and module.path == "repo/process.py"):
                yield f"{node.lineno}: {name}"
            for keyword in node.keywords:
                if keyword.arg == "shell" and module.path != "repo/process.py":
                    yield f"{node.lineno}: shell="


def thinks_with_the_world(module: Module) -> Iterator[str]:
    """Thought and speech take values: no files, clock or environment."""
    if module.room not in ("analysis", "model"):
        return
    for line, name in imports(module):
        if name.split(".")[0] in WITHOUT_THE_WORLD:
            yield f"{line}: {module.room} is pure, it may not use {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called(node) in ("open", "input"):
            yield f"{node.lineno}: {called(node)}"


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    goes_up,
    library_outside_its_room,
    heavy_at_the_top,
    speaks,
    remembers,
    too_long,
    unexplained,
    runs_a_shell,
    thinks_with_the_world,
)


def cycle(all_modules: list[Module]) -> list[str] | None:
    """Modules that import each other in a ring; imports inside functions count."""
    names = {module.name for module in all_modules}
    uses = {
        module.name: {used for _, name in imports(module) if (used := known(name, names))} - {module.name}
        for module in all_modules
    }
    try:
        graphlib.TopologicalSorter(uses).prepare()
    except graphlib.CycleError as error:
        return [str(name) for name in error.args[1]]
    return None


def known(name: str, names: set[str]) -> str | None:
    """The module that an imported dotted name stands for or is in."""
    return next((found for found in (name, name.rpartition(".")[0]) if found in names and found != PACKAGE), None)


# --------------------------------------------------------------------------------------------------------------- tests


@pytest.fixture(scope="module")
def house() -> list[Module]:
    return modules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule, house: list[Module]) -> None:
    assert [f"{PACKAGE}/{module.path}:{wrong}" for module in house for wrong in rule(module)] == []


def test_no_module_is_outside_the_rooms(house: list[Module]) -> None:
    assert sorted({module.room for module in house} - set(MAY_USE)) == []


def test_no_import_goes_round(house: list[Module]) -> None:
    assert cycle(house) is None


LONG = "def f() -> None:\n" + "    pass\n" * 60
BAD = (
    (goes_up, "repo/x.py", "from git_fleet.operations import land\n"),
    (goes_up, "model/x.py", "def f():\n    import git_fleet.repo.git\n"),
    (goes_up, "journal/x.py", "from git_fleet import repo\n"),
    (goes_up, "analysis/x.py", "from ..repo import git\n"),
    (goes_up, "output/x.py", "from git_fleet.analysis.waves import waves\n"),
    (goes_up, "commands/x.py", "from git_fleet.commands.land import command\n"),
    (goes_up, "repo/x.py", "import importlib\nimportlib.import_module('git_fleet.cli')\n"),
    (library_outside_its_room, "repo/git.py", "import subprocess\n"),
    (library_outside_its_room, "repo/git.py", "def f():\n    from pygit2 import Repository\n"),
    (library_outside_its_room, "operations/x.py", "import sqlite3\n"),
    (library_outside_its_room, "commands/x.py", "import tabulate\n"),
    (library_outside_its_room, "output/x.py", "from click import style\n"),
    (library_outside_its_room, "plan/x.py", "import pathspec\n"),
    (library_outside_its_room, "cli.py", "from importlib.metadata import version\n"),
    (heavy_at_the_top, "output/table.py", "import tabulate\n"),
    (heavy_at_the_top, "repo/objects.py", "try:\n    from pygit2 import Repository\nexcept ImportError:\n    pass\n"),
    (speaks, "operations/x.py", "print('x')\n"),
    (speaks, "output/x.py", "import sys\nsys.stdout.write('x')\n"),
    (speaks, "repo/x.py", "import sys\nout = sys.stderr\n"),
    (remembers, "repo/x.py", "CACHE: dict[str, str] = {}\n"),
    (remembers, "cli.py", "SEEN = set()\n"),
    (remembers, "plan/x.py", "PAIRS = (1, [2])\n"),
    (remembers, "plan/x.py", "class A:\n    seen = []\n"),
    (remembers, "plan/x.py", "if True:\n    names = list('ab')\n"),
    (remembers, "repo/x.py", "opened = open_database()\n"),
    (remembers, "repo/x.py", "def f() -> None:\n    global x\n    x = 1\n"),
    (remembers, "repo/x.py", "@functools.lru_cache\ndef f() -> None: ...\n"),
    (too_long, "repo/x.py", LONG),
    (too_long, "model/x.py", "\n" * 401),
    (unexplained, "repo/x.py", "x = 1\n"),
    (unexplained, "plan/x.py", '"""Doc."""\ndef f() -> None: ...\n'),
    (unexplained, "output/x.py", "def f(x) -> None: ...\n"),
    (unexplained, "output/x.py", "def f(*, x: int): ...\n"),
    (runs_a_shell, "operations/x.py", "import os\nos.system('x')\n"),
    (runs_a_shell, "operations/x.py", "run('x', shell=True)\n"),
    (thinks_with_the_world, "analysis/x.py", "import time\n"),
    (thinks_with_the_world, "analysis/x.py", "open('x')\n"),
)
GOOD = (
    (goes_up, "operations/x.py", "from git_fleet.repo import git\nimport git_fleet.model.plan\n"),
    (goes_up, "commands/x.py", "from git_fleet import front\n"),
    (library_outside_its_room, "repo/process.py", "import subprocess\n"),
    (heavy_at_the_top, "repo/objects.py", "if TYPE_CHECKING:\n    import pygit2\ndef f():\n    import pygit2\n"),
    (
        remembers,
        "repo/x.py",
        "A = MappingProxyType({'a': 1})\nB = tuple([1])\nC = re.compile('x')\nD = Source(1)\nE = ','.join('ab')\n",
    ),
    (too_long, "repo/x.py", LONG.replace("    pass\n", "", 1)),
    (unexplained, "repo/x.py", '"""Doc."""\ndef _f() -> None: ...\n'),
    (runs_a_shell, "repo/process.py", "os.execvpe('x', [], {})\n"),
)


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_a_rule_sees_what_is_bad(rule: Rule, path: str, text: str) -> None:
    assert list(rule(parsed(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_a_rule_lets_pass_what_is_good(rule: Rule, path: str, text: str) -> None:
    assert list(rule(parsed(path, text))) == []


def test_a_ring_is_seen_even_inside_functions() -> None:
    ring = [
        parsed("repo/a.py", "from git_fleet.repo.b import f\n"),
        parsed("repo/b.py", "def f():\n    from git_fleet.repo import c\n"),
        parsed("repo/c.py", "from . import a\n"),
    ]
    found = cycle(ring)
    assert found is not None and set(found) == {"git_fleet.repo.a", "git_fleet.repo.b", "git_fleet.repo.c"}
    assert cycle(ring[:2]) is None


def test_the_package_is_found(house: list[Module]) -> None:
    assert {"git_fleet", "git_fleet.model.plan", "git_fleet.repo.process"} <= {module.name for module in house}
    assert Path(kit.ROOT, PACKAGE, "__main__.py").is_file()
