"""A duplicate-build check as a dated certificate with a verification code."""

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership
from agreements.codes import new_verification_code
from listings import build_check
from listings.models import BuildCheck


@transaction.atomic
def certify_build_check(
    *, place: GEOSGeometry, kind: str, is_settled: bool, membership: Membership | None, name: str = ""
) -> BuildCheck:
    """Checks now and keeps what was found for this reader (None: a visitor); the worker writes the PDF.

    Raises Refused for a place outside every division.
    """
    now = timezone.now()
    region = build_check.region_of(place)
    if region is None:
        raise Refused(_("The place lies outside every division this portal knows."), code="outside")
    found = build_check.check(place=place, kind=kind, is_settled=is_settled, reader=membership, now=now)
    made = BuildCheck(
        reference=f"new-{new_verification_code()}", verification_code=new_verification_code(), kind=kind, place=place,
        name=name.strip(), region=region, is_settled=is_settled, checked_at=now, findings=found.as_json(),
        findings_sha256=found.sha256, organisation=membership.organisation if membership else None,
        made_by=membership.user if membership else None,
    )  # fmt: skip
    made.full_clean(exclude=["reference"])
    made.save(force_insert=True)
    made.reference = f"DBC-{timezone.localdate(now).year}-{made.pk:06d}"
    made.save(update_fields=["reference"])
    record("build_check.certify", made, by=made.made_by, organisation=made.organisation,
           after={"reference": made.reference, "verdict": found.verdict})  # fmt: skip
    from agreements.tasks import write_build_check

    write_build_check.enqueue(made.pk)
    return made
