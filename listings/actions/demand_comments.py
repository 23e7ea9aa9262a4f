"""Comments at the desk: what those who review, co-sign and curate a list say of it and its lines; never public."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership
from listings import demand_notices as notices
from listings import demand_permissions as permissions
from listings.models import DemandLine, DemandList, DeskComment

from .demand_lists import lock_list

COMMENTS_MAX = 500  # open ones on one list


@transaction.atomic
def comment(
    *, demand_list: DemandList, membership: Membership, text: str, line: DemandLine | None = None
) -> DeskComment:
    """A remark on the list, or on one of its lines; the other people at its desks are told.

    Raises NotPermitted for who does not work with the list, Refused once it is closed, without words, or for a line
    of another list.
    """
    row = lock_list(demand_list)
    if refusal := permissions.comment_refusal(row, membership):
        raise refusal
    if line is not None and not row.lines.filter(pk=line.pk).exists():
        raise Refused(_("This line is not on the list."), code="other_list")
    text = text.strip()
    if not text:
        raise Refused(_("Say what is to be looked at."), code="empty")
    if row.comments.filter(settled_at=None).count() >= COMMENTS_MAX:
        raise Refused(_("So many comments are open on this list: settle some first."), code="many")
    made = DeskComment(
        demand_list=row, line=line, text=text, organisation=membership.organisation, written_by=membership.user
    )
    made.full_clean()
    made.save(force_insert=True)
    verb = "line.comment" if line else "list.comment"
    record(verb, line or row, by=membership.user, organisation=membership.organisation, after={"text": text})
    notices.tell_comment(made)
    return made


@transaction.atomic
def settle_comment(*, comment: DeskComment, membership: Membership) -> DeskComment:
    """What the comment asked for has been seen to; it stays readable. Raises as comment(), Refused when settled."""
    row = lock_list(comment.demand_list)
    fresh = DeskComment.objects.select_for_update(of=("self",), no_key=True).select_related("line").get(pk=comment.pk)
    if refusal := permissions.comment_refusal(row, membership):
        raise refusal
    if fresh.settled_at:
        raise Refused(_("This comment is settled already."), code="settled")
    fresh.settled_by, fresh.settled_at = membership.user, timezone.now()
    fresh.save(update_fields=["settled_by", "settled_at"])
    verb = "line.settle_comment" if fresh.line else "list.settle_comment"
    record(verb, fresh.line or row, by=membership.user, organisation=membership.organisation,
           before={"text": fresh.text})  # fmt: skip
    return fresh
