"""The conversation of a co-build proposal: those who could build together; the list's bureau joins when it is asked."""

from collections.abc import Iterable, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Organisation, User
from messaging.actions import open_thread, tell
from messaging.subjects import Subject, Thing, register

from .models import Proposal


class ProposalSubject(Subject):
    kind = gettext_lazy("Co-build project")

    def url(self, subject: Proposal) -> str:
        return reverse("proposal_detail", args=[subject.pk])

    def bureaus(self, subject: Proposal) -> list[Organisation]:
        return [subject.run.demand_list.bureau]

    def things(self, subject: Proposal, membership: Membership) -> Iterable[Thing]:
        """The lines it would serve."""
        for party in subject.parties.select_related("line").defer("line__place").order_by("line__number"):
            label = _("Line %(number)d · %(title)s") % {"number": party.line.number, "title": party.line.title}
            yield Thing(f"line:{party.line_id}", label, party.line)


register(Proposal, ProposalSubject())


def open_talk(proposal: Proposal, parties: Sequence[Organisation], by: User) -> None:
    """Opens the conversation of a proposal that was just sent; where only one party is on the portal, its bureau
    takes part from the start."""
    row = proposal.run.demand_list
    thread = open_thread(
        subject=proposal,
        title=f"{row.reference} · {proposal.number}",
        organisations=[*parties, row.bureau] if len(parties) < 2 else parties,
    )
    tell(
        thread=thread, code="proposal.opened", by=by, organisation=row.bureau,
        payload={"number": proposal.number, "list": row.reference},
    )  # fmt: skip
