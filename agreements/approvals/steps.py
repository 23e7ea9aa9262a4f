"""Which steps of approval a version of the terms takes in an organisation, how they stand, and what still blocks.

A version is an offer: nothing of it can change, so that an approval holds for these very terms and for no later ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership
from agreements.approvals.models import Verdict
from agreements.models import Approval, ApprovalRule, Offer, ProjectApproval, ShareRequest
from agreements.sheets.clauses import settled
from agreements.sheets.draft import sheet_of
from agreements.terms import digest

OPEN_IN = (ShareRequest.State.NEGOTIATING, ShareRequest.State.AGREED)  # where a version can be approved
APPROVED, REJECTED, NEXT, LATER = "approved", "rejected", "next", "later"


@dataclass(frozen=True)
class Step:
    """A rule the version's amount reaches. stand: APPROVED, REJECTED (to be approved or replaced by a new version),
    NEXT (its turn), LATER. answer: the last one given, None: none yet."""

    rule: ApprovalRule
    stand: str
    answer: Approval | ProjectApproval | None

    @property
    def is_open(self) -> bool:
        """Whether it can be answered now."""
        return self.stand in (NEXT, REJECTED)

    @property
    def mark(self) -> str:
        """As timelines mark it."""
        return "done" if self.stand == APPROVED else "current" if self.is_open else "todo"

    @property
    def who(self) -> str:
        names = [self.rule.approver, self.rule.deputy]
        return " / ".join(str(person) for person in names if person)

    def is_of(self, user_id: int) -> bool:
        return user_id in (self.rule.approver_id, self.rule.deputy_id)


def total_fen(offer: Offer) -> int:
    """The price over the whole period, rounded half up to the fen."""
    return int((Decimal(offer.price_fen_per_year) * offer.months / 12).quantize(Decimal(1), "ROUND_HALF_UP"))


def version_digest(offer: Offer) -> str:
    """SHA-256 (hex) of everything a version says. Queries unless request and sheet are fetched."""
    sheet = sheet_of(offer)
    return digest(
        {
            "request": offer.request_id, "version": offer.number, "quantities": offer.quantities,
            "price_fen_per_year": offer.price_fen_per_year, "starts_on": offer.starts_on.isoformat(),
            "months": offer.months, "note": offer.note, "mode": sheet.mode, "scheme": sheet.scheme,
            "inputs": sheet.inputs, "clauses": settled(sheet.clauses),
        }
    )  # fmt: skip


def steps(offer: Offer, organisation_id: int) -> list[Step]:
    """The steps of this version in the organisation, in order; none where no rule reaches it. Queries twice."""
    amounts = {ApprovalRule.Basis.YEAR: offer.price_fen_per_year, ApprovalRule.Basis.TOTAL: total_fen(offer)}
    rules = ApprovalRule.objects.live().filter(organisation=organisation_id).select_related("approver", "deputy")
    reached = [rule for rule in rules if amounts[ApprovalRule.Basis(rule.basis)] >= rule.from_fen]
    if not reached:
        return []
    given = Approval.objects.filter(offer=offer, rule__in=reached).select_related("by").order_by("pk")
    return in_order(reached, given)


def in_order(reached: Sequence[ApprovalRule], given: Iterable[Approval | ProjectApproval]) -> list[Step]:
    """How the steps stand: given are the answers, oldest first; the last of a rule counts."""
    answers = {answer.rule_id: answer for answer in given}
    made, is_reached = [], True
    for rule in reached:
        answer = answers.get(rule.pk)
        if answer and answer.verdict == Verdict.APPROVED:
            stand = APPROVED
        elif not is_reached:
            stand = LATER
        else:
            stand, is_reached = (REJECTED if answer else NEXT), False
        made.append(Step(rule, stand, answer))
    return made


def open_step(offer: Offer, organisation_id: int) -> Step | None:
    """The step whose turn it is; None where all have approved."""
    return next((step for step in steps(offer, organisation_id) if step.is_open), None)


def why_not_signed(offer: Offer, membership: Membership) -> Refused | None:
    """Why the person's side cannot sign this version yet, by its own rules; None: it can. Queries twice."""
    waits = _("Your organisation approves version %(number)d first: %(step)s (%(who)s).")
    return why_blocked(steps(offer, membership.organisation_id), membership, waits, number=offer.number)


def why_blocked(found: Sequence[Step], membership: Membership, waits: str, **words: Any) -> Refused | None:
    """Why steps that stand like this keep the person from signing; None: they do not. waits: the sentence for one
    that is not answered yet."""
    blocking = next((step for step in found if step.is_open), None)
    if blocking and blocking.stand == REJECTED:
        return Refused(
            _("Not approved in your organisation (%(step)s): %(note)s")
            % {"step": blocking.rule.name, "note": blocking.answer.note if blocking.answer else ""},
            code="not_approved",
        )
    if blocking:
        return Refused(waits % {"step": blocking.rule.name, "who": blocking.who, **words}, code="not_approved")
    if any(step.answer and step.answer.by_id == membership.user_id for step in found):
        return Refused(
            _("You have approved this version: another signatory of your organisation signs it."), code="own_approval"
        )
    return None
