"""Documents of a resource: known by ending and first bytes, kept without metadata, handed out as attachments only."""

import hashlib
import os
import zipfile
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.papers import stripped
from listings.models import Resource, ResourceDocument
from listings.models.documents import ACCEPTED
from listings.permissions import require_keeper

DOCUMENTS_MAX = 40  # per resource
OFFICE_PARTS = {"docx": "word/", "xlsx": "xl/"}
MEMBERS_MAX = 5_000  # of an office file; ours have dozens
UNPACKED_MAX_BYTES = 500 * 1024 * 1024


def add_document(
    *, resource: Resource, file: IO[bytes], name: str, size_bytes: int, title: str, by: User, membership: Membership
) -> ResourceDocument:
    """Attaches a document. Raises NotPermitted to all but the editors of owner and manager, Refused with a sentence."""
    require_keeper(membership, resource)
    extension, data = cleaned(file, name, size_bytes)  # takes its time: before anything is locked
    stem = os.path.splitext(os.path.basename(name))[0]
    return _attach(
        resource=resource, extension=extension, data=data, title=title.strip() or stem, by=by, membership=membership
    )


def cleaned(file: IO[bytes], name: str, size_bytes: int) -> tuple[str, bytes]:
    """(extension, the document without metadata) of an upload fit to be kept. Raises Refused. No queries."""
    if size_bytes > settings.DOCUMENT_MAX_BYTES:
        raise Refused(
            _("The document has %(size)d MB; at most %(max)d MB can be taken.")
            % {"size": size_bytes // 2**20, "max": settings.DOCUMENT_MAX_BYTES // 2**20},
            code="too_large",
        )
    extension = checked_extension(file, name)
    file.seek(0)
    return extension, stripped(file.read(), extension)


@transaction.atomic
def _attach(
    *, resource: Resource, extension: str, data: bytes, title: str, by: User, membership: Membership
) -> ResourceDocument:
    require_keeper(membership, resource)
    Resource.objects.select_for_update(no_key=True).only("pk").get(pk=resource.pk)  # the count below holds
    if resource.documents.count() >= DOCUMENTS_MAX:
        raise Refused(
            _("There are %(max)d documents already: take one away first.") % {"max": DOCUMENTS_MAX}, code="too_many"
        )
    digest = hashlib.sha256(data).hexdigest()
    if resource.documents.filter(sha256=digest).exists():
        raise Refused(_("This document is attached already."), code="twice")
    document = ResourceDocument(
        resource=resource, title=title[:160], extension=extension, size_bytes=len(data),
        sha256=digest, added_by=by,
    )  # fmt: skip
    document.file.save(f"{resource.pk}.{extension}", ContentFile(data), save=False)
    path, storage = str(document.file.name), document.file.storage
    try:
        document.full_clean()
        document.save()
        record("document.add", document, by=by, organisation=resource.owner, after={"resource": resource.pk})
    except BaseException:
        storage.delete(path)  # the row is rolled back; the file must not stay behind
        raise
    return document


def checked_extension(file: IO[bytes], name: str) -> str:
    """pdf, docx or xlsx: what the name says and the first bytes confirm. Raises Refused."""
    extension = os.path.splitext(name)[1].lower().lstrip(".")
    if extension == "dwg":
        raise Refused(
            _("A DWG drawing carries names and paths that cannot be taken out: print it to PDF and attach that."),
            code="extension",
        )
    if extension not in ACCEPTED:
        raise Refused(_("Documents are PDF, DOCX or XLSX files."), code="extension")
    file.seek(0)
    head = file.read(8)
    is_so = head.startswith(b"%PDF-" if extension == "pdf" else b"PK\x03\x04")
    if is_so and extension in OFFICE_PARTS:
        is_so = _is_office(file, OFFICE_PARTS[extension])
    if not is_so:
        raise Refused(
            _("The file is called .%(extension)s, but is something else.") % {"extension": extension}, code="content"
        )
    return extension


def _is_office(file: IO[bytes], part: str) -> bool:
    """Whether the zip's directory is that of an office file without macros. Nothing is unpacked."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False
    names = [member.filename for member in members]
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".js", ".vbs")) for name in names):
        raise Refused(_("The document carries macros or programs: save it without them."), code="macros")
    if len(members) > MEMBERS_MAX or sum(member.file_size for member in members) > UNPACKED_MAX_BYTES:
        raise Refused(_("The document unpacks to far more than a document holds."), code="bomb")
    return "[Content_Types].xml" in names and any(name.startswith(part) for name in names)


@transaction.atomic
def delete_document(*, document: ResourceDocument, by: User, membership: Membership) -> None:
    """Takes a document away, file included, once the transaction stands."""
    require_keeper(membership, document.resource)
    resource = document.resource
    record("document.delete", document, by=by, organisation=resource.owner, before={"resource": resource.pk})
    storage, name = document.file.storage, str(document.file.name)
    document.delete()
    transaction.on_commit(lambda: storage.delete(name))
