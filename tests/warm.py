"""The real program without its start-up: a process that has loaded it all forks for each call.

A matrix of kinds and commands is hundreds of calls, and most of the time of one is Python's own beginning. A call here
is a process with its own arguments, environment, directory and descriptors, and enters by the program's own `main`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit import ROOT, Completed


class Warm:
    """A loaded program, waiting; `close` ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
            text=True,
        )

    def run(self, *args: str, cwd: Path, env: Mapping[str, str], stdin: str = "") -> Completed:
        """`git-fleet <args>`, as from a shell in `cwd` with exactly this environment."""
        assert self._process.stdin and self._process.stdout
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(tempfile.NamedTemporaryFile("w+b")) for _ in range(3)]
            files[0].write(stdin.encode("utf-8", "surrogateescape"))
            files[0].flush()
            call = {"args": args, "cwd": str(cwd), "env": dict(env), "files": [file.name for file in files]}
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            out, err = (Path(file.name).read_bytes().decode("utf-8", "surrogateescape") for file in files[1:])
        return Completed(status, out, err)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=20)


def _serve() -> None:
    """For each line of standard input a call, and a line with its exit status (negative: a signal)."""
    _load()
    for line in sys.stdin:
        call = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(call)
        _, how = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(how), flush=True)


def _load() -> None:
    """All that a command may import later."""
    import pkgutil
    from importlib import import_module

    import git_fleet

    for module in pkgutil.walk_packages(git_fleet.__path__, "git_fleet."):
        if module.name != "git_fleet.__main__":
            import_module(module.name)
    for library in ("pygit2", "tabulate", "pathspec", "sqlite3", "tempfile", "shutil", "hashlib", "difflib"):
        import_module(library)


def _become(call: dict[str, Any]) -> None:
    """The call itself, in the child; does not come back."""
    from git_fleet import start

    status = 1
    try:
        os.environ.clear()
        os.environ.update(call["env"])
        for number, name in enumerate(call["files"]):
            os.dup2(os.open(name, os.O_RDWR | (os.O_APPEND if number else 0)), number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
            for number, mode, errors in ((0, "r", "surrogateescape"), (1, "w", "strict"), (2, "w", "backslashreplace"))
        )
        os.chdir(call["cwd"])
        sys.argv = ["git-fleet", *call["args"]]
        start.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
