"""Papers on their way in: metadata taken out of PDF and office files before anything of them is kept. No ORM.

The work is done by papers_child.py in a process of its own, without network, with limits on time and memory: a paper of
a kilobyte can unpack to gigabytes.
"""

import subprocess
import sys
from pathlib import Path

from django.utils.translation import gettext as _

from accounts import enclosure
from accounts.errors import Refused

CHILD = Path(__file__).with_name("papers_child.py")
CPU_S = 20  # a report of 300 pages takes half a second
WALL_S = 60
MEMORY_BYTES = 1024**3
CLEANED = ("pdf", "docx", "xlsx")


def stripped(data: bytes, extension: str) -> bytes:
    """The paper without its metadata. extension: one of CLEANED. Raises Refused, saying what would be right.

    Takes a fifth of a second and more: call it before a row is locked.
    """
    limits = [extension, str(CPU_S), str(MEMORY_BYTES)]
    if enclosure.why_unavailable():  # the child's own limits do where namespaces cannot be made
        command = [sys.executable, "-I", str(CHILD), *limits]
    else:
        command = [*enclosure.command(), "--ro-bind", str(CHILD), "/in/strip.py",
                   sys.executable, "-I", "/in/strip.py", *limits]  # fmt: skip
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=WALL_S, env={"LC_ALL": "C.UTF-8"})
    except subprocess.TimeoutExpired as failure:
        raise _refused("bomb", extension) from failure
    if done.returncode:
        code = done.stderr.decode("ascii", "replace") if done.returncode == 3 else "bomb"
        raise _refused(code, extension)
    return done.stdout


def _refused(code: str, extension: str) -> Refused:
    if code == "protected":
        return Refused(_("The PDF is protected: save it without protection."), code=code)
    if code == "signed":
        return Refused(
            _("The PDF carries a digital signature, which taking its metadata out would break: attach a "
              "copy without it (printed as PDF)."),
            code=code,
        )  # fmt: skip
    if code == "damaged" and extension == "pdf":
        return Refused(_("The PDF is damaged: save it again from your program."), code=code)
    if code == "damaged":
        return Refused(_("The document is damaged: save it again from your program."), code=code)
    return Refused(_("The document unpacks to far more than a document holds."), code="bomb")
