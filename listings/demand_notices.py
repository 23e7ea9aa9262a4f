"""Who is told when a demand list moves or is objected to. Inside the action's transaction; no place, no price."""

from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.models import Organisation, User
from accounts.models.organisations import Role
from listings.demand_links import neutral_desk_path, neutral_list_path
from listings.models import DemandList, Objection
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
