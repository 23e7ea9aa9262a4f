"""Who is told when a demand list moves or is objected to. Inside the action's transaction; no place, no price."""

from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.models import Organisation, User
from accounts.models.organisations import Role
from listings.demand_links import neutral_call_path, neutral_desk_path, neutral_list_path
from listings.models import DemandList, DeskComment, LineCorrection, Objection
from messaging.actions import notify, people_of

APPLICANT_ROLES = [Role.ADMIN, Role.NEGOTIATOR]


def _payload(demand_list: DemandList, **more: Any) -> dict[str, Any]:
    return {"list": demand_list.title_zh, "reference": demand_list.reference, **more}


def tell_moved(row: DemandList, verb: str) -> None:
    """After a move: whoever has to act next, and the applicants once it is public."""
    if verb == "submit":
        publishers = [u for u in people_of(row.bureau, [Role.PUBLISHER]) if u.pk != row.submitted_by_id]
        notify(
            users=publishers,
            organisation=row.bureau,
            code="list.submit",
            payload=_payload(row),
            url=neutral_desk_path(row.pk),
            key=f"list:{row.pk}:submit:{row.submitted_at:%Y%m%d%H%M%S}",
        )
        for mark in row.co_signers.select_related("bureau").order_by("pk"):
            notify(
                organisation=mark.bureau,
                roles=[Role.PUBLISHER],
                code="list.ask_co_sign",
                payload=_payload(row, organisation=row.bureau.name_zh, organisation_en=row.bureau.name_en),
                url=neutral_desk_path(row.pk),
                key=f"list:{row.pk}:ask_co_sign:{mark.bureau_id}:{row.submitted_at:%Y%m%d%H%M%S}",
            )
    elif verb in ("publish", "bring_into_force", "close"):
        until = date_format(localtime(row.notice_ends_at), "Y-m-d") if row.notice_ends_at else ""
        organisations = Organisation.objects.filter(demand_lines__demand_list=row).distinct().order_by("pk")
        for organisation in organisations:
            notify(
                organisation=organisation,
                roles=APPLICANT_ROLES,
                code=f"list.{verb}",
                payload=_payload(row, until=until),
                url=neutral_list_path(row.reference),
                key=f"list:{row.pk}:{verb}",
            )
        notify(
            organisation=row.bureau,
            roles=[Role.CURATOR, Role.PUBLISHER],
            code=f"list.{verb}",
            payload=_payload(row, until=until),
            url=neutral_desk_path(row.pk),
            key=f"list:{row.pk}:{verb}",
        )


def tell_sent_back(row: DemandList, submitter: User, reason: str) -> None:
    """The person who submitted reads the second person's note."""
    notify(
        users=[submitter],
        organisation=row.bureau,
        code="list.send_back",
        payload=_payload(row, reason=reason),
        url=neutral_desk_path(row.pk),
        key=f"list:{row.pk}:send_back:{localtime():%Y%m%d%H%M%S}",
    )


def tell_objection(objection: Objection) -> None:
    """The bureau's curators and publishers learn who objects."""
    row = objection.demand_list
    notify(
        organisation=row.bureau,
        roles=[Role.CURATOR, Role.PUBLISHER],
        code="objection.make",
        payload=_payload(row, organisation=str(objection.organisation)),
        url=neutral_desk_path(row.pk),
        key=f"objection:{objection.pk}",
    )


def tell_decision(objection: Objection) -> None:
    """The objector is answered; the reason stands on the list's page."""
    row = objection.demand_list
    notify(
        organisation=objection.organisation,
        code="objection.decide",
        payload=_payload(row, outcome=objection.outcome, reason=objection.decision[:300]),
        url=f"{neutral_list_path(row.reference)}#objection-{objection.pk}",
        key=f"objection:{objection.pk}:decided",
    )


def tell_co_signed(row: DemandList, bureau: Organisation) -> None:
    """The lead bureau learns who has signed off."""
    notify(
        organisation=row.bureau,
        roles=[Role.CURATOR, Role.PUBLISHER],
        code="list.co_sign",
        payload=_payload(row, organisation=bureau.name_zh, organisation_en=bureau.name_en),
        url=neutral_desk_path(row.pk),
        key=f"list:{row.pk}:co_sign:{bureau.pk}:{row.submitted_at:%Y%m%d%H%M%S}",
    )


def tell_correction_proposed(correction: LineCorrection) -> None:
    """The publishers learn that a correction awaits a second person."""
    row = correction.line.demand_list
    notify(
        users=[user for user in people_of(row.bureau, [Role.PUBLISHER]) if user.pk != correction.proposed_by_id],
        organisation=row.bureau,
        code="line.propose_correction",
        payload=_payload(row, number=correction.line.number),
        url=neutral_desk_path(row.pk),
        key=f"correction:{correction.pk}",
    )


def tell_comment(comment: DeskComment) -> None:
    """Who works with the list at the bureaus that keep, co-sign or commented it, but the writer."""
    row = comment.demand_list
    bureaus = Organisation.objects.filter(
        Q(pk=row.bureau_id) | Q(co_signed__demand_list=row) | Q(pk__in=row.comments.values("organisation"))
    )
    for bureau in bureaus.distinct().order_by("pk"):
        people = people_of(bureau, [Role.CURATOR, Role.PUBLISHER])
        notify(
            users=[user for user in people if user.pk != comment.written_by_id],
            organisation=bureau,
            code="list.comment",
            payload=_payload(
                row, organisation=comment.organisation.name_zh, organisation_en=comment.organisation.name_en
            ),
            url=f"{neutral_desk_path(row.pk)}#comments",
            key=f"list:{row.pk}:comment:{comment.pk}",
        )


def tell_clock_moved(row: DemandList, why: str) -> None:
    """Who waits for the end of the notice reads that it moved: applicants, objectors and the bureau itself."""
    until = date_format(localtime(row.notice_ends_at), "Y-m-d") if row.notice_ends_at else ""
    waiting = Organisation.objects.filter(
        Q(demand_lines__demand_list=row) | Q(objections__demand_list=row) | Q(pk=row.bureau_id)
    )
    for organisation in waiting.distinct().order_by("pk"):
        is_bureau = organisation.pk == row.bureau_id
        notify(
            organisation=organisation,
            roles=[Role.CURATOR, Role.PUBLISHER] if is_bureau else APPLICANT_ROLES,
            code="list.clock_moved",
            payload=_payload(row, until=until, reason=why[:300]),
            url=neutral_desk_path(row.pk) if is_bureau else neutral_list_path(row.reference),
            key=f"list:{row.pk}:until:{until}",
        )


def tell_call(row: DemandList, *, is_moved: bool) -> None:
    """Verified enterprises of the region, and those seated above it, learn of a call or of its new closing date."""
    code = row.region_id
    near = Q(region__code__startswith=row.region.prefix) | Q(
        region_id__in=["100000", code[:2] + "0000", code[:4] + "00"]
    )
    until = date_format(localtime(row.call_closes_at), "Y-m-d")
    for organisation in Organisation.objects.enterprises().verified().filter(near).order_by("pk"):
        notify(
            organisation=organisation,
            roles=APPLICANT_ROLES,
            code="list.move_call" if is_moved else "list.open_call",
            payload=_payload(row, until=until),
            url=neutral_call_path(row.reference),
            key=f"list:{row.pk}:call:{until}",
        )
