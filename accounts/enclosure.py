"""Closes a child process in with bubblewrap: no network, a read-only tree of the interpreter alone, nobody's rights."""

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

NOBODY = "65534"
SYSTEM_FOLDERS = ("/lib", "/lib64", "/lib32", "/libx32", "/bin")


def _bind(*paths: str | Path) -> list[str]:
    return [word for path in paths for word in ("--ro-bind", str(path), str(path))]


def _tree() -> list[str]:
    """The tiny tree: /usr with its links, the interpreter and its packages; no home, no /etc but the linker's cache."""
    words = ["--ro-bind", "/usr", "/usr"]
    for folder in SYSTEM_FOLDERS:
        if os.path.islink(folder):
            words += ["--symlink", os.readlink(folder).lstrip("/"), folder]
        elif os.path.isdir(folder):
            words += _bind(folder)
    inside_usr = ("/usr/", "/usr")
    prefixes = {os.path.realpath(sys.base_prefix), sys.base_prefix, sys.prefix}
    prefixes |= {str(Path(os.path.realpath(sys.executable)).parent.parent)}
    words += _bind(*sorted(p for p in prefixes if not p.startswith(inside_usr[0]) and p not in ("/usr", "/")))
    if os.path.exists("/etc/ld.so.cache"):
        words += _bind("/etc/ld.so.cache")
    return [*words, "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]


def command() -> list[str]:
    """The words before a command line that close it in: no network, nobody's rights, only the tiny tree to read."""
    return [
        "bwrap", "--unshare-all", "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL",
        "--die-with-parent", "--new-session", "--clearenv", *_tree(),
    ]  # fmt: skip


@lru_cache(maxsize=1)
def why_unavailable() -> str:
    """ "" where the sandbox works; else what the machine said. Tried once per process."""
    if not shutil.which("bwrap"):
        return "bwrap: command not found"
    try:
        done = subprocess.run([*command(), sys.executable, "-I", "-c", "print(6*7)"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    if done.returncode or done.stdout.strip() != b"42":
        return done.stderr.decode("utf-8", "replace").strip()[:200] or f"bwrap: exit {done.returncode}"
    return ""
