"""What somebody gets who installs git fleet: a wheel, built and installed for real; `make install`."""

import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import kit
import pytest

import git_fleet

UNSEALED = dict(os.environ)  # pip needs the machine's own configuration to reach an index
pytestmark = pytest.mark.xdist_group("package")


def build(source: Path, folder: Path) -> Path:
    """The wheel of a source tree or archive."""
    argv = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source)
    run(*argv, cwd=folder, env=UNSEALED)
    [path] = folder.glob("*.whl")
    return path


def run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([*map(str, argv)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree: building leaves things behind."""
    copy = tmp_path_factory.mktemp("source") / "git-fleet"
    unwanted = shutil.ignore_patterns(".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(kit.ROOT, copy, ignore=unwanted)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel; the libraries are those of the tests."""
    folder = tmp_path_factory.mktemp("venv") / "venv"
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent, env=UNSEALED)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder, env=UNSEALED)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return folder


def test_the_wheel_holds_everything(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(kit.ROOT)) for path in (kit.ROOT / "git_fleet").rglob("*.py")}
    schemas = {str(path.relative_to(kit.ROOT)) for path in (kit.ROOT / "git_fleet/output/schemas").glob("*.json")}
    share = f"git_fleet-{git_fleet.__version__}.data/data/share"
    data = {
        *(f"{share}/man/man{path.suffix[1]}/{path.name}" for path in (kit.ROOT / "man").iterdir()),
        f"{share}/bash-completion/completions/git-fleet.bash",
        f"{share}/zsh/site-functions/_git-fleet",
        f"{share}/fish/vendor_completions.d/git-fleet.fish",
    }
    metadata = {name for name in held if ".dist-info/" in name}
    assert schemas
    assert held - metadata == modules | schemas | data | {"git_fleet/py.typed"}


def test_it_works_through_git_once_on_the_path(venv: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PATH": f"{venv}/bin:{UNSEALED['PATH']}"}
    said = run("git", "fleet", "--version", cwd=tmp_path, env=env)
    assert git_fleet.__version__ in said
    where = run(venv / "bin/python", "-c", "import git_fleet; print(git_fleet.__file__)", cwd=tmp_path, env=env)
    assert Path(where).is_relative_to(venv)
    if shutil.which("man"):
        assert run("man", "-w", "git-fleet", cwd=tmp_path, env=env).strip() == f"{venv}/share/man/man1/git-fleet.1"
        assert run("git", "help", "fleet-add", cwd=tmp_path, env=env).startswith("GIT-FLEET(1)")


def test_help_and_completion_find_the_installed_files(venv: Path, tmp_path: Path) -> None:
    env = {**os.environ, "MANPATH": "/nonexistent"}
    program = venv / "bin" / "git-fleet"
    if shutil.which("man"):
        assert run(program, "help", "tutorial", cwd=tmp_path, env=env).startswith("GITFLEET-TUTORIAL(7)")
    assert run(program, "completion", "zsh", cwd=tmp_path, env=env).startswith("#compdef git-fleet")


def test_the_source_distribution_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    """What MANIFEST.in forgets is missing here."""
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, source, cwd=tmp_path, env=UNSEALED)
    [archive] = tmp_path.glob("*.tar.gz")
    again = build(archive, tmp_path)
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_make_install_and_uninstall(source: Path, venv: Path, tmp_path: Path) -> None:
    """Installed below DESTDIR, moved to where PREFIX says, run from there; nothing is left after uninstall."""
    stage, prefix = tmp_path / "stage", tmp_path / "prefix"
    (venv / ".runtime").touch()
    words = (f"PYTHON={sys.executable}", f"VENV={venv}", f"PREFIX={prefix}", f"DESTDIR={stage}")
    run("make", "install", *words, cwd=source, env=UNSEALED)
    os.rename(f"{stage}{prefix}", prefix)
    said = run(prefix / "bin" / "git-fleet", "--version", cwd=tmp_path)
    assert git_fleet.__version__ in said
    assert (prefix / "share/man/man1/git-fleet.1").is_file()
    assert (prefix / "share/zsh/site-functions/_git-fleet").is_file()
    run("make", "uninstall", *words[:3], cwd=source, env=UNSEALED)
    assert [path for path in prefix.rglob("*") if not path.is_dir()] == []
