"""Organisations: set up, hand in for verification, verify or send back; bureaus, which nobody declares oneself."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import signals
from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.events import record, snapshot
from accounts.mail import send_on_commit
from accounts.models import Membership, Organisation, Region, User
from accounts.models.organisations import Role
from accounts.permissions import has_role, may_verify

FACTS = ["name_zh", "name_en", "uscc", "sector", "region"]
# Whoever sets an organisation up can do everything in it, until colleagues share the roles.
FOUNDER_ROLES = [Role.ADMIN, Role.EDITOR, Role.NEGOTIATOR, Role.SIGNATORY]
BUREAU_FOUNDER_ROLES = [Role.ADMIN, Role.CURATOR]
VERIFYING_ROLES = [Role.ADMIN, Role.PUBLISHER]

Verification = Organisation.Verification


def lock(organisation: Organisation) -> Organisation:
    """The organisation's row, locked until the transaction ends."""
    rows = Organisation.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("region").defer("region__polygon").get(pk=organisation.pk)


def bureaus_of(region: Region) -> list[Organisation]:
    """The verified bureaus whose jurisdiction covers the region, nearest first. Queries once."""
    above = {"100000", region.code[:2] + "0000", region.code[:4] + "00", region.code}
    bureaus = Organisation.objects.bureaus().verified().filter(region_id__in=above)
    return list(bureaus.order_by("-region__level", "pk"))


def addresses(organisation: Organisation, *roles: str) -> list[str]:
    """E-mail addresses of the active members who hold one of the roles. Queries once."""
    members = Membership.objects.active().filter(organisation=organisation, user__is_active=True).with_role(*roles)
    return list(members.order_by("pk").values_list("user__email", flat=True))


def _store(organisation: Organisation) -> None:
    """Inserts; a code that another set up at the same moment is answered like one that was there before."""
    organisation.full_clean()
    try:
        with transaction.atomic():
            organisation.save(force_insert=True)
    except IntegrityError as error:
        if "uscc" not in str(error):
            raise
        sentence = _("An organisation with this code is already here: join it instead.")
        raise Refused(sentence, code="uscc_taken") from error


@transaction.atomic
def create(*, by: User, name_zh: str, name_en: str, uscc: str, sector: str, region: Region) -> Membership:
    """Sets an organisation up, not verified yet; the person becomes its administrator.

    Raises ValidationError where a fact is wrong, Refused where the code is taken.
    """
    organisation = Organisation(name_zh=name_zh, name_en=name_en, uscc=uscc, sector=sector, region=region)
    _store(organisation)
    membership = Membership(user=by, organisation=organisation, roles=list(FOUNDER_ROLES))
    membership.full_clean()
    membership.save(force_insert=True)
    record("organisation.create", organisation, by=by, organisation=organisation, after=snapshot(organisation, FACTS))
    return membership


@transaction.atomic
def change_facts(
    *, organisation: Organisation, by: Membership, name_zh: str, name_en: str, uscc: str, sector: str, region: Region
) -> Organisation:
    """Changes the facts a bureau verifies; only before they are handed in or after they were sent back."""
    if not has_role(by, organisation, Role.ADMIN):
        raise NotPermitted(_("Only an administrator of the organisation changes its facts."))
    organisation = lock(organisation)
    if organisation.verification not in (Verification.UNVERIFIED, Verification.REJECTED):
        raise Refused(
            _("These facts are with the bureau or verified by it; ask the bureau to send them back first."),
            code="state",
        )
    before = snapshot(organisation, FACTS)
    for name, value in {
        "name_zh": name_zh, "name_en": name_en, "uscc": uscc, "sector": sector, "region": region,
    }.items():  # fmt: skip
        setattr(organisation, name, value)
    organisation.full_clean()
    organisation.save(update_fields=FACTS)
    record(
        "organisation.change", organisation, by=by.user, organisation=organisation,
        before=before, after=snapshot(organisation, FACTS),
    )  # fmt: skip
    return organisation


@transaction.atomic
def submit_for_verification(*, organisation: Organisation, by: Membership) -> Organisation:
    """Hands the organisation's facts to the bureaus of its region and starts their clock."""
    if not has_role(by, organisation, Role.ADMIN):
        raise NotPermitted(_("Only an administrator hands the organisation in for verification."))
    organisation = lock(organisation)
    if organisation.verification == Verification.SUBMITTED:
        raise Refused(_("The organisation has been handed in already; the bureau has not answered yet."), code="state")
    if organisation.verification == Verification.VERIFIED:
        raise Refused(_("The organisation is verified already."), code="state")
    before = snapshot(organisation, ["verification"])
    organisation.verification = Verification.SUBMITTED
    organisation.submitted_at = timezone.now()
    organisation.verification_due_at = deadline_for(
        "clock.verification", organisation.region, at=organisation.submitted_at
    )
    organisation.full_clean()
    organisation.save(update_fields=["verification", "submitted_at", "verification_due_at"])
    record(
        "organisation.submit", organisation, by=by.user, organisation=organisation,
        before=before, after=snapshot(organisation, ["verification", "verification_due_at"]),
    )  # fmt: skip
    bureaus = bureaus_of(organisation.region)
    for bureau in bureaus:
        send_on_commit(
            "verification_asked", to=addresses(bureau, *VERIFYING_ROLES), organisation=organisation, bureau=bureau
        )
    signals.organisation_submitted.send(Organisation, organisation=organisation, bureaus=bureaus, by=by.user)
    return organisation


def _awaiting(organisation: Organisation, by: Membership) -> Organisation:
    if not may_verify(by, organisation):
        raise NotPermitted(
            _("An administrator or publisher of a bureau verifies the organisations of its own jurisdiction.")
        )
    organisation = lock(organisation)
    if organisation.verification != Verification.SUBMITTED:
        raise Refused(_("This organisation is not waiting for verification any more."), code="state")
    return organisation


@transaction.atomic
def verify(*, organisation: Organisation, by: Membership) -> Organisation:
    """The bureau confirms the facts; from now on the organisation may publish and request."""
    organisation = _awaiting(organisation, by)
    before = snapshot(organisation, ["verification"])
    organisation.verification = Verification.VERIFIED
    organisation.verification_note = ""
    organisation.verified_by, organisation.verified_at = by.user, timezone.now()
    organisation.full_clean()
    organisation.save(update_fields=["verification", "verification_note", "verified_by", "verified_at"])
    record(
        "organisation.verify", organisation, by=by.user, organisation=by.organisation,
        before=before, after=snapshot(organisation, ["verification"]),
    )  # fmt: skip
    send_on_commit(
        "verified", to=addresses(organisation, Role.ADMIN), organisation=organisation, bureau=by.organisation
    )
    signals.organisation_verified.send(Organisation, organisation=organisation, bureau=by.organisation, by=by.user)
    return organisation


@transaction.atomic
def send_back(*, organisation: Organisation, by: Membership, note: str) -> Organisation:
    """The bureau returns the facts with a note that says what to mend; the organisation may hand in again."""
    note = note.strip()
    if not note:
        raise Refused(_("Say what has to be mended, so that the organisation can do it."), code="note_missing")
    organisation = _awaiting(organisation, by)
    before = snapshot(organisation, ["verification"])
    organisation.verification = Verification.REJECTED
    organisation.verification_note = note
    organisation.full_clean()
    organisation.save(update_fields=["verification", "verification_note"])
    record(
        "organisation.send_back", organisation, by=by.user, organisation=by.organisation,
        before=before, after=snapshot(organisation, ["verification"]), reason=note,
    )  # fmt: skip
    send_on_commit(
        "sent_back",
        to=addresses(organisation, Role.ADMIN),
        organisation=organisation,
        bureau=by.organisation,
        note=note,
    )
    signals.organisation_sent_back.send(
        Organisation, organisation=organisation, bureau=by.organisation, note=note, by=by.user
    )
    return organisation


@transaction.atomic
def create_bureau(
    *, name_zh: str, name_en: str, uscc: str, sector: str, region: Region, admin_email: str
) -> tuple[Organisation, User, bool]:
    """A bureau with its first administrator; by command only. Gives (bureau, administrator, is the person new).

    A new person has no password and sets one through "forgot password". Raises ValidationError, Refused.
    """
    bureau = Organisation(
        name_zh=name_zh, name_en=name_en, uscc=uscc, sector=sector, region=region, is_bureau=True,
        verification=Verification.VERIFIED, verified_at=timezone.now(),
    )  # fmt: skip
    _store(bureau)
    email = admin_email.strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    is_new = user is None
    if user is None:
        user = User(email=email)
        user.set_unusable_password()
        user.full_clean()
        user.save()
    membership = Membership(user=user, organisation=bureau, roles=list(BUREAU_FOUNDER_ROLES))
    membership.full_clean()
    membership.save(force_insert=True)
    record("organisation.create", bureau, by=None, organisation=bureau, after=snapshot(bureau, [*FACTS, "is_bureau"]))
    send_on_commit("bureau_created", to=[user.email], bureau=bureau, is_new=is_new)
    return bureau, user, is_new
