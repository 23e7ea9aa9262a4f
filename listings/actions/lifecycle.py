"""Publish, suspend, resume and retire resources, one or many; delete drafts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.errors import NotPermitted, Refused
from accounts.events import record, snapshot
from accounts.models import Event, Membership, User
from listings.actions.capacity import expire_due
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, Reservation, Resource
from listings.permissions import may_edit, require_editor, why_no_act, why_no_delete
from listings.states import TRANSITIONS, why_not_from

BATCH = 1_000


def publishing_lack(kind: str, pools: Sequence[CapacityPool]) -> str:
    """What a resource still lacks to be published; "" when it can be. Pure."""
    if not any(pool.total > 0 for pool in pools):
        return _("Say first what can be shared: it has no capacity yet.")
    for spec in SPECS[kind].pools:
        if spec.is_single and sum(pool.unit == spec.unit for pool in pools) != 1:
            return _("A room says both its rack units and its power (kW).")
    return ""


@transaction.atomic
def publish(*, resource: Resource, by: User | None, membership: Membership) -> Resource:
    """Draft → published. Refused when the owner is not verified or nothing can be shared in it."""
    return _move(resource, "publish", by=by, membership=membership)


@transaction.atomic
def suspend(*, resource: Resource, by: User | None, membership: Membership, reason: str = "") -> Resource:
    """Published → suspended: hidden and closed to new requests; what is reserved stays."""
    return _move(resource, "suspend", by=by, membership=membership, reason=reason)


@transaction.atomic
def resume(*, resource: Resource, by: User | None, membership: Membership) -> Resource:
    """Suspended → published again."""
    return _move(resource, "resume", by=by, membership=membership)


@transaction.atomic
def retire(*, resource: Resource, by: User | None, membership: Membership, reason: str = "") -> Resource:
    """Published or suspended → retired, for good. Refused while units are held or confirmed."""
    return _move(resource, "retire", by=by, membership=membership, reason=reason)


def _move(resource: Resource, verb: str, *, by: User | None, membership: Membership, reason: str = "") -> Resource:
    require_editor(membership, resource.owner)
    row = _locked(resource)
    if why := why_no_act(verb, row, membership):
        raise Refused(why, code="state")
    return _moved(row, verb, by=by, reason=reason)


@transaction.atomic
def move_for_works(*, resource: Resource, verb: str, by: User | None, reason: str = "") -> Resource:
    """Publishes, resumes or retires for the owner, as works that hold the resource go on.

    Called by the action of the works, which has checked who may. Refused as by the owner's own hand.
    """
    row = _locked(resource)
    if verb != "retire" and not row.owner.is_verified:
        raise Refused(_("%(owner)s is not verified: nothing of it is published.") % {"owner": row.owner}, code="state")
    return _moved(row, verb, by=by, reason=reason)


def _locked(resource: Resource) -> Resource:
    return Resource.objects.select_for_update(of=("self",), no_key=True).select_related("owner").get(pk=resource.pk)


def _moved(row: Resource, verb: str, *, by: User | None, reason: str) -> Resource:
    _check_capacity(row, verb)
    before = snapshot(row, ["state"])
    row.state = TRANSITIONS[verb].target
    fields = ["state", "updated_at"]
    if verb == "publish":
        row.published_at = timezone.now()
        fields.append("published_at")
    row.save(update_fields=fields)
    record(
        f"resource.{verb}",
        row,
        by=by,
        organisation=row.owner,
        before=before,
        after=snapshot(row, ["state"]),
        reason=reason,
    )
    return row


def why_not_move(resource: Resource, verb: str, pools: Sequence[CapacityPool]) -> str:
    """Why its state or its capacity does not let it move so; "" when they do. Role and verification come before."""
    reason = why_not_from(verb, resource.state)
    if not reason and TRANSITIONS[verb].target == Resource.State.PUBLISHED:
        reason = publishing_lack(resource.kind, pools)
    return reason


def _check_capacity(resource: Resource, verb: str) -> None:
    if lack := why_not_move(resource, verb, list(resource.pools.order_by("pk"))):
        raise Refused(lack, code="no_capacity")
    if verb == "retire":
        expire_due(pool_ids=list(resource.pools.order_by("pk").values_list("pk", flat=True)))
        active = Reservation.objects.active().filter(pool__resource=resource).count()
        if active:
            raise Refused(
                ngettext(
                    "%(count)d reservation still counts on it: release it first, or suspend the resource.",
                    "%(count)d reservations still count on it: release them first, or suspend the resource.",
                    active,
                )
                % {"count": active},
                code="reserved",
            )


@dataclass
class Bulk:
    """What a bulk act did: how many, and the sentences why others were left as they are, with their numbers."""

    done: int = 0
    left: dict[str, int] | None = None

    def leave(self, why: str) -> None:
        self.left = self.left or {}
        self.left[why] = self.left.get(why, 0) + 1


@transaction.atomic
def publish_many(*, resources: Iterable[Resource | int], by: User | None, membership: Membership) -> Bulk:
    """Publishes every draft among one's own resources that can be; says why the others were left."""
    return _move_many("publish", resources, by=by, membership=membership)


@transaction.atomic
def suspend_many(*, resources: Iterable[Resource | int], by: User | None, membership: Membership) -> Bulk:
    """Suspends every published one among one's own resources; says why the others were left."""
    return _move_many("suspend", resources, by=by, membership=membership)


def _move_many(verb: str, resources: Iterable[Resource | int], *, by: User | None, membership: Membership) -> Bulk:
    """One statement per BATCH, however many there are. Another organisation's resources are passed over."""
    owner = membership.organisation
    require_editor(membership, owner)
    if verb == "publish" and not owner.is_verified:
        raise Refused(
            _("Your organisation is not verified yet: until then you can prepare drafts, not publish them."),
            code="not_verified",
        )
    ids = sorted(r.pk if isinstance(r, Resource) else int(r) for r in resources)
    bulk, target, now = Bulk(), TRANSITIONS[verb].target, timezone.now()
    subject_type = ContentType.objects.get_for_model(Resource)
    for start in range(0, len(ids), BATCH):
        rows = list(
            Resource.objects.filter(owner=owner, pk__in=ids[start : start + BATCH])
            .select_for_update(no_key=True)
            .prefetch_related("pools")
            .defer("place", "shown_cell")
            .order_by("pk")
        )
        movable = []
        for row in rows:
            if why := why_not_move(row, verb, list(row.pools.all())):
                bulk.leave(why)
            else:
                movable.append(row)
        moved = Resource.objects.filter(pk__in=[row.pk for row in movable])
        if verb == "publish":
            moved.update(state=target, updated_at=now, published_at=now)
        else:
            moved.update(state=target, updated_at=now)
        Event.objects.bulk_create(
            Event(
                verb=f"resource.{verb}",
                subject_type=subject_type,
                subject_id=str(row.pk),
                subject_label=str(row)[:200],
                actor=by,
                organisation=owner,
                before={"state": row.state},
                after={"state": target},
            )
            for row in movable
        )
        bulk.done += len(movable)
    return bulk


@transaction.atomic
def delete_draft(*, resource: Resource, by: User | None, membership: Membership) -> None:
    """Deletes a draft with its facts, pools and photos' rows; the event keeps what it was."""
    row = Resource.objects.select_for_update(of=("self",)).select_related("owner").get(pk=resource.pk)
    if not may_edit(membership, row.owner):
        raise NotPermitted(why_no_delete(row, membership))
    if why := why_no_delete(row, membership):
        raise Refused(why, code="state")
    if Reservation.objects.filter(pool__resource=row).exists():
        raise Refused(_("It was reserved before: it stays, so that its history does."), code="reserved")
    record(
        "resource.delete",
        row,
        by=by,
        organisation=row.owner,
        before=snapshot(row, ["kind", "owner_code", "name", "state"]),
    )
    files = [(photo.image.storage, photo.image.name) for photo in row.photos.order_by("pk")]
    row.delete()

    def remove_files() -> None:
        for storage, name in files:
            storage.delete(name)

    transaction.on_commit(remove_files)
