"""Landing with gates: several trees at once against merging and testing one after the other, and runs counted."""

import os
import subprocess

import pairs


def _git(cwd: str, *args: str, text: str | None = None) -> str:
    done = subprocess.run(["git", *args], cwd=cwd, check=True, capture_output=True, text=True, input=text)
    return done.stdout.strip()


def _fleet(folder: str, main: str, count: int) -> list[str]:
    """Branches that each add a file of their name, and a plan of them."""
    names = [f"{number:02}" for number in range(1, count + 1)]
    start = _git(main, "rev-parse", "main")
    for name in names:
        person = "Bench <bench@example.invalid> 1700000000 +0000"
        head = f"commit refs/heads/{name}\ncommitter {person}\ndata {len(name)}\n{name}\nfrom {start}\n"
        _git(main, "fast-import", "--quiet", text=f"{head}M 100644 inline {name}\ndata 2\nx\n\n")
        _git(main, "config", f"fleet.{name}.branch", name)
    _git(main, "config", "fleet.writeStatus", "false")
    return names


def _back(main: str, start: str) -> None:
    """As if nothing had landed, nor been tested."""
    _git(main, "checkout", "-q", "main")
    _git(main, "reset", "-q", "--hard", start)
    for ref in _git(main, "for-each-ref", "--format=%(refname)", "refs/fleet/").split():
        _git(main, "update-ref", "-d", ref)
    subprocess.run(["rm", "-rf", f"{main}/.git/fleet"], check=True)


def speculation(folder: str, main: str, fleet: str, count: int = 32) -> None:
    """A gate of 0.2 s and two lanes."""
    names = _fleet(folder, main, count)
    start = _git(main, "rev-parse", "main")
    _git(main, "config", "fleet.gate", "sleep 0.2")
    _git(main, "config", "fleet.gateJobs", "2")
    loop = "".join(f"git merge -q --no-ff -m {name} {name} && sh -c 'sleep 0.2' || exit 1\n" for name in names)
    pairs.compare(
        f"land of {count} branches, a gate of 0.2 s, two lanes, against merging and testing one by one",
        lambda: pairs.once([fleet, "land", "-q"], main),
        lambda: pairs.once(["sh", "-c", loop], main),
        runs=5,
        prepare=lambda: _back(main, start),
        wanted="at least 1.54, ours at most 0.65 of the other",
    )


def counts(folder: str, main: str, fleet: str) -> None:
    """Gate runs until the culprit is named, by a gate that counts."""
    names = _fleet(folder, main, 32)
    start = _git(main, "rev-parse", "main")
    runs = os.path.join(folder, "runs")
    _git(main, "config", "fleet.gateMode", "tip")
    _git(main, "config", "fleet.gateJobs", "1")

    def most(count: int, plants: list[tuple[str, ...]]) -> int:
        found = 0
        for plant in plants:
            _back(main, start)
            red = " && ".join(f"test -e {name}" for name in plant)
            _git(main, "config", "fleet.gate", f"echo x >>'{runs}'; ! {{ {red}; }}")
            open(runs, "w").close()
            argv = [fleet, "land", "-q", "--no-keep-going", *names[:count]]
            done = subprocess.run(argv, cwd=main, capture_output=True, text=True, check=False)
            named = " and ".join(plant) + (" alone is red" if len(plant) == 1 else " are green alone and red together")
            assert done.returncode == 5 and named in done.stdout, done.stdout + done.stderr
            with open(runs) as file:
                found = max(found, len(file.readlines()))
        return found

    single = most(32, [(name,) for name in names[::5]])
    print(f"one culprit in 32 branches, mode tip: named with at most {single} gate runs (wanted: at most 8)")
    pair = most(20, [(names[6], names[13]), (names[0], names[19]), (names[18], names[19]), (names[2], names[8])])
    print(f"a semantic pair among 20: named with at most {pair} gate runs (wanted: at most 12)")
