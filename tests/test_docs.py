"""The manual and the completions name every command and option of the command line, and nothing else."""

import os
import re
import shutil
import subprocess

import click
import kit
import pytest

from git_fleet.cli import tree
from git_fleet.model.settings import DISPOSABLE

IN_CI = os.environ.get("CI") == "true"  # read before the tests are sealed
COMMANDS = sorted(tree().commands)
PAGE = (kit.ROOT / "man" / "git-fleet.1").read_text().replace(r"\-", "-")
ZSH = (kit.ROOT / "completions" / "_git-fleet").read_text()
OPTION = r"(?<![\w-])--?[a-z][a-z-]*"


def spellings(name: str) -> list[set[str]]:
    """Those of each visible option of a command, `-h` and `--help` included."""
    command = tree().commands[name]
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    visible = (param for param in command.get_params(context) if isinstance(param, click.Option) and not param.hidden)
    return [{*param.opts, *param.secondary_opts} for param in visible]


def options(name: str) -> set[str]:
    return set().union(*spellings(name))


def longest(name: str) -> set[str]:
    """Long options, and short ones that have no long form."""
    return set().union(*({long for long in one if long.startswith("--")} or one for one in spellings(name)))


def section(title: str) -> str:
    return re.split(r"^\.SH ", PAGE.partition(f"\n.SH {title}\n")[2], flags=re.MULTILINE)[0]


def tags(text: str) -> set[str]:
    """The options that head a paragraph."""
    heads = re.findall(r"^\.TP\n\.\w+ (.*)", text, re.MULTILINE)
    return {option for head in heads for option in re.findall(OPTION, head)}


def documented() -> dict[str, str]:
    """Command to its part of the COMMANDS section."""
    parts = re.split(r'^\.SS "git fleet ', section("COMMANDS"), flags=re.MULTILINE)[1:]
    return {part.split()[0].rstrip('"'): part for part in parts}


def test_manual_has_every_command() -> None:
    assert sorted(documented()) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_manual_has_every_option(name: str) -> None:
    everywhere = tags(section("OPTIONS")) - {"--version"}
    assert tags(documented()[name]) | everywhere == options(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_line_has_only_real_options(name: str) -> None:
    usage = documented()[name].splitlines()[0]
    assert set(re.findall(OPTION, usage)) <= options(name)


def test_stub_pages_are_those_of_the_commands() -> None:
    """`git help fleet-add` asks for gitfleet-add, `git help git-fleet-add` for git-fleet-add."""
    for prefix in ("git-fleet-", "gitfleet-"):
        stubs = {path.name: path.read_text() for path in (kit.ROOT / "man").glob(f"{prefix}*.1")}
        assert stubs == {f"{prefix}{name}.1": ".so man1/git-fleet.1\n" for name in COMMANDS}


def bash(script: str) -> str:
    argv = ["bash", "--norc", "-c", f". {kit.ROOT}/completions/git-fleet.bash; {script}"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_bash_has_every_command() -> None:
    assert sorted(bash('echo "$__git_fleet_commands"').split()) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_bash_has_every_option(name: str) -> None:
    offered = {word.rstrip("=") for word in bash(f"__git_fleet_options {name}").split()}
    assert offered == longest(name)


def fish(line: str) -> set[str]:
    """What fish offers at the end of `line`."""
    if shutil.which("fish") is None:
        (pytest.fail if IN_CI else pytest.skip)("fish is not installed")
    script = f"source {kit.ROOT}/completions/git-fleet.fish; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], check=True, capture_output=True, text=True)
    return {offer.split("\t")[0].rstrip("=") for offer in done.stdout.splitlines()}


def test_fish_has_every_command() -> None:
    assert sorted(fish("git-fleet ")) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_fish_has_every_option(name: str) -> None:
    assert fish(f"git-fleet {name} -") == options(name)


def zsh_options(text: str) -> set[str]:
    return set(re.findall(OPTION + r"(?=[=\[,}])", text))


def test_zsh_has_every_command() -> None:
    listed = ZSH.partition("  commands=(")[2].partition("\n  )")[0]
    assert sorted(re.findall(r"^ +'(\w+):", listed, re.MULTILINE)) == COMMANDS
    assert sorted(re.findall(r"^    \((\w+)\)$", ZSH, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_zsh_has_every_option(name: str) -> None:
    block = ZSH.partition(f"\n    ({name})\n")[2].partition(";;")[0]
    common = zsh_options(ZSH.partition("  common=(")[2].partition("\n  )")[0])
    plan = {"--plan"} if "$plan" in block else set()
    assert zsh_options(block) | common | plan == options(name)


def test_manual_names_every_disposable_pattern() -> None:
    entry = section("CONFIGURATION").partition("\n.B fleet.disposable\n")[2].partition("\n.TP\n")[0]
    words = re.sub(r'^\.BR |[", ;]+', " ", entry, flags=re.MULTILINE).split()
    assert [pattern for pattern in DISPOSABLE if pattern not in words] == []
