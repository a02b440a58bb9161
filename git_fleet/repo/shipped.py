"""Files that come with the program but not inside the package: man pages and completions."""

import os


def find(share: str, name: str, source: str) -> str | None:
    """The absolute path of a shipped file, or None.

    `share` is its folder below `share/` once installed (`man/man1`), `source` its folder in the source tree (`man`):
    an editable installation ships no data files.
    """
    import sysconfig

    package_parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    prefixes = (
        package_parent,
        sysconfig.get_path("data"),
        sysconfig.get_path("data", sysconfig.get_preferred_scheme("user")),
    )
    folders = (os.path.join(package_parent, source), *(os.path.join(prefix, "share", share) for prefix in prefixes))
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.path.isfile(path)), None)
