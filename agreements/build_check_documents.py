"""The certificate of a duplicate-build check as a page and as a sealed PDF."""

import hashlib
import io
from typing import Any

import segno
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, override

from accounts.events import record
from listings.models import BuildCheck, Kind
from listings.models.resources import Resource

from .sealing import seal


def verification_url(check: BuildCheck) -> str:
    """The public page that confirms the certificate, absolute and without language prefix."""
    with override(settings.LANGUAGE_CODE):
        return f"{settings.BASE_URL}{reverse('agreement_verify')}?code={check.verification_code}"


def facts_of(findings: dict[str, Any], kind: str) -> dict[str, Any]:
    """The findings in the reader's language, for page and PDF alike. Pure."""
    language = "en" if (get_language() or "").startswith("en") else "zh"

    def told(words: dict[str, str]) -> str:
        return words.get(language) or words.get("zh", "")

    lifecycles = dict(Resource._meta.get_field("lifecycle").flatchoices)
    region = findings["data"]["region"]
    return {
        "verdict": findings["verdict"],
        "kind": Kind(kind).label,
        "reader": told(findings["reader"]),
        "checked_at": parse_datetime(findings["checked_at"]),
        "latest_change": parse_datetime(findings["data"]["latest_change"] or "-"),
        "data": findings["data"],
        "region": f"{told(region)} ({region['code']})" if region else "–",
        "rules": [
            {"value": float(row["value"]), "is_example": row["is_example"], **row[language]}
            for row in findings["rules"]
        ],
        "resources": [
            row | {"owner": told(row["owner"]), "region": told(row["region"]), "kind_label": Kind(row["kind"]).label,
                   "lifecycle_label": lifecycles.get(row["lifecycle"], row["lifecycle"])}
            for row in findings["resources"]
        ],
        "lines": [row | {"who": told(row["who"])} for row in findings["lines"]],
        "owners": [row | {"name": told(row)} for row in findings["owners"]],
        "is_cut": findings.get("is_cut", False),  # certificates of before do not say
        "has_blurred": any(row["is_blurred"] for row in findings["resources"]),
    }  # fmt: skip


def render_pdf(check: BuildCheck) -> bytes:
    """The certificate as PDF/UA, A4, in Chinese. About a second."""
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    qr = segno.make(verification_url(check), error="m").svg_data_uri(scale=3, border=2, xmldecl=False)
    with override(settings.LANGUAGE_CODE):
        html = render_to_string(
            "agreements/build_check_pdf.html",
            {
                "check": check, "facts": facts_of(check.findings, check.kind), "qr": qr,
                "verification_url": verification_url(check), "place_text": place_text(check),
            },
        )  # fmt: skip
    sheet = CSS(filename=str(settings.BASE_DIR / "assets" / "css" / "agreement-pdf.css"))
    buffer = io.BytesIO()
    fetcher = URLFetcher(allowed_protocols=["data"], fail_on_errors=True)
    HTML(string=html, url_fetcher=fetcher).write_pdf(
        buffer, stylesheets=[sheet], pdf_variant="pdf/ua-1", full_fonts=False
    )
    return buffer.getvalue()


def place_text(check: BuildCheck) -> str:
    """The planned place in degrees: a point, or the ends of a route."""
    if check.place.geom_type == "Point":
        return f"{check.place.x:.5f}, {check.place.y:.5f}"
    first, last = check.place[0], check.place[-1]
    return f"{first[0]:.5f}, {first[1]:.5f} → {last[0]:.5f}, {last[1]:.5f}"


def store_pdf(check: BuildCheck) -> bool:
    """Writes the sealed certificate and its hash, once; whether it was written now."""
    if check.pdf:
        return False
    content = seal(render_pdf(check), reason=check.reference)
    with transaction.atomic():
        fresh = BuildCheck.objects.select_for_update(no_key=True, of=("self",)).get(pk=check.pk)
        if fresh.pdf:
            return False
        fresh.pdf.save(f"{fresh.reference}.pdf", ContentFile(content), save=False)
        fresh.pdf_sha256 = hashlib.sha256(content).hexdigest()
        fresh.save(update_fields=["pdf", "pdf_sha256"])
        record("build_check.write_pdf", fresh, by=None, after={"pdf_sha256": fresh.pdf_sha256, "bytes": len(content)})
    return True
