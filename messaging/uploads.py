"""What may be sent with a message: pictures, written anew, and documents of a few safe types, both without metadata.

Types are told by name and content together; what does not fit both is refused. Documents are handed out only as
downloads (messaging/views/attachments.py).
"""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.papers import CLEANED, stripped
from accounts.pictures import FULL_PX, open_checked, rewritten

PICTURES = ("jpg", "jpeg", "png", "webp")
OFFICE = {
    "docx": ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
TEXTS = {"txt": "text/plain", "csv": "text/csv"}
DOCUMENTS = ("pdf", *OFFICE, *TEXTS, "dwg")
ACCEPT = ",".join(f".{name}" for name in (*PICTURES, *DOCUMENTS))
OFFICE_MEMBERS_MAX, OFFICE_UNPACKED_MAX = 2_000, 200 * 1024 * 1024
NAME_MAX = 120


@dataclass(frozen=True)
class Upload:
    """A file found fit to be stored. content: what is stored: pictures written anew, papers without metadata."""

    name: str
    content: bytes
    content_type: str
    is_picture: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def stored_name(self) -> str:
        return f"{self.sha256[:16]}.{'jpg' if self.is_picture else _ending(self.name)}"

    def as_file(self) -> ContentFile:
        return ContentFile(self.content)


def _ending(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def _safe_name(name: str) -> str:
    """The file's own name without folders, control characters and what turns text around; never empty."""
    name = re.sub(
        r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\"]", "", name.replace("\\", "/").rsplit("/", 1)[-1]
    )
    stem, dot, ending = name.strip(" .").rpartition(".")
    return f"{stem[:NAME_MAX]}{dot}{ending[:8]}" or "file"


def checked(file: IO[bytes], name: str, size_bytes: int) -> Upload:
    """The file made fit to be stored. Raises Refused, saying what is wrong. Decodes pictures; no queries."""
    name, most = _safe_name(name), settings.ATTACHMENT_MAX_BYTES
    ending = _ending(name)
    if ending in PICTURES:
        picture = rewritten(open_checked(file, size_bytes), FULL_PX)
        return Upload(f"{name.rsplit('.', 1)[0]}.jpg", picture, "image/jpeg", True)
    if size_bytes > most:
        raise Refused(
            _("%(name)s has %(size).1f MB; at most %(max).0f MB can be sent.")
            % {"name": name, "size": size_bytes / 1024**2, "max": most / 1024**2},
            code="too_large",
        )
    content = file.read(most + 1)
    content_type = _document_type(ending, content)
    if not content_type:
        raise Refused(
            _("%(name)s cannot be sent: take a picture (JPEG, PNG, WebP), PDF, DOCX, XLSX, TXT, CSV or DWG.")
            % {"name": name},
            code="type",
        )
    if ending in CLEANED:
        content = stripped(content, ending)
    return Upload(name, content, content_type, False)


def _document_type(ending: str, content: bytes) -> str:
    """The content type where name and content agree on a safe type, else ""."""
    if ending == "pdf" and content[:1024].lstrip().startswith(b"%PDF-"):
        return "application/pdf"
    if ending == "dwg" and re.match(rb"AC10[0-9]{2}", content[:6]):
        return "image/vnd.dwg"
    if ending in TEXTS and content and b"\x00" not in content and _is_text(content):
        return TEXTS[ending]
    if ending in OFFICE and _is_office(content, OFFICE[ending][0]):
        return OFFICE[ending][1]
    return ""


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _is_office(content: bytes, folder: str) -> bool:
    """A package of the kind, of bounded size, without macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    names = [member.filename for member in members]
    return (
        len(members) <= OFFICE_MEMBERS_MAX
        and sum(member.file_size for member in members) <= OFFICE_UNPACKED_MAX
        and "[Content_Types].xml" in names
        and any(name.startswith(folder) for name in names)
        and not any(name.lower().endswith("vbaproject.bin") for name in names)
    )
