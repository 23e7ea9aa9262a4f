"""The signed agreement of works as a sealed PDF, by the same document, seal and code as agreements of two."""

import hashlib

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.events import record
from agreements.documents import sealed_pdf
from agreements.models import Project


def store_pdf(project_id: int) -> bool:
    """Writes the document of signed works and its hash, once; whether it was written now."""
    project = Project.objects.get(pk=project_id)
    if project.signed_at is None or project.pdf:
        return False
    content = sealed_pdf(project, list(project.signatures.order_by("pk")))
    with transaction.atomic():
        fresh = Project.objects.select_for_update(no_key=True).get(pk=project_id)
        if fresh.pdf:  # another worker was quicker: its document stays
            return False
        fresh.pdf.save(f"{fresh.reference}.pdf", ContentFile(content), save=False)
        fresh.pdf_sha256 = hashlib.sha256(content).hexdigest()
        fresh.save(update_fields=["pdf", "pdf_sha256"])
        record("project.write_pdf", fresh, by=None, after={"pdf_sha256": fresh.pdf_sha256, "bytes": len(content)})
    return True
