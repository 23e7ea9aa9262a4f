"""The terms of all parties frozen, and their signatures; the last one begins the works."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership, User
from agreements.codes import new_verification_code
from agreements.models import Project, ProjectSignature
from agreements.projects import states
from agreements.projects.apportion import shares
from agreements.projects.terms import frozen_terms
from agreements.tasks import write_project_pdf
from agreements.terms import digest

from .approving import ask_approvals
from .records import begin, taking_part, write
from .reservation import check_power
from .reserved import build_planned, check_space


@transaction.atomic
def agree(*, project: Project, by: User, membership: Membership) -> Project:
    """Freezes who takes part, with what, for how much: after this nothing changes but by cancelling."""
    fresh = begin(project, membership, "agree")
    if fresh.common_fen <= 0:
        raise Refused(_("State the common cost of the works first: there is nothing to share yet."), code="no_cost")
    parties = taking_part(fresh)
    if fresh.is_gated:
        check_power(fresh)
        check_space(fresh)
    split = shares(fresh, parties)
    for party, share in zip(parties, split[1:], strict=True):
        party.share_fen = share.by(fresh.split)
        party.save(update_fields=["share_fen"])
    fresh.reference = f"GJ-{timezone.localdate().year}-P{fresh.pk:06d}"
    fresh.verification_code = new_verification_code()
    fresh.terms = frozen_terms(fresh, split)
    fresh.terms_sha256 = digest(fresh.terms)
    before, fresh.state = fresh.state, Project.State.AGREED
    fresh.save(update_fields=["reference", "verification_code", "terms", "terms_sha256", "state"])
    write(fresh, "agree", by=by, membership=membership, before=before, after={"terms_sha256": fresh.terms_sha256})
    ask_approvals(fresh)
    return fresh


def sign(*, project: Project, by: User, membership: Membership, password: str, terms_sha256: str) -> ProjectSignature:
    """A signatory's signature after typing the password again; twice is once.

    terms_sha256: of the text the person read. Raises Refused("password"), Refused("other_terms"), or what
    states.refusal says.
    """
    if not by.check_password(password):  # before the lock: hashing is slow on purpose
        raise Refused(_("The password is not right: nothing was signed."), code="password")
    return _sign(project, by, membership, terms_sha256)


@transaction.atomic
def _sign(project: Project, by: User, membership: Membership, terms_sha256: str) -> ProjectSignature:
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    made = locked.signatures.filter(organisation=membership.organisation_id).first()
    if made and not membership.ended_at and membership.has_role(*states.SIGNING):
        return made  # also after the last signature, when nothing is to be signed any more
    fresh = begin(project, membership, "sign")
    if terms_sha256 != fresh.terms_sha256 or digest(fresh.terms or {}) != fresh.terms_sha256:
        raise Refused(_("This is not the text you read. Open the page again and read it."), code="other_terms")
    signature = ProjectSignature(
        project=fresh, organisation=membership.organisation, user=by, signer_name=str(by)[:80],
        terms_sha256=fresh.terms_sha256,
    )  # fmt: skip
    signature.full_clean()
    signature.save(force_insert=True)
    write(fresh, "sign", by=by, membership=membership, before=fresh.state, after={"signer": signature.signer_name})
    wanted = {
        fresh.lead_id,
        *(party.organisation_id for party in taking_part(fresh)),
    }
    if set(fresh.signatures.values_list("organisation_id", flat=True)) >= wanted:
        before, fresh.state, fresh.signed_at = fresh.state, Project.State.BUILDING, timezone.now()
        fresh.save(update_fields=["state", "signed_at"])
        build_planned(fresh, by=by)
        write(fresh, "conclude", by=None, membership=None, before=before)
        write_project_pdf.enqueue(fresh.pk)
    return signature
