"""The steps of a case in few words, always through the actions: ask → offer → counter → accept → sign."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from agreements import actions
from agreements.models import Agreement, Offer, ShareRequest
from tests.world import PASSWORD


def zh(name: str, *args) -> str:
    """A page's Chinese address, whatever language an earlier request has left active."""
    with override("zh-hans"):
        return reverse(name, args=args)


def en(name: str, *args) -> str:
    """A page's English address."""
    with override("en"):
        return reverse(name, args=args)


def someday(days: int = 30) -> dt.date:
    return timezone.localdate() + dt.timedelta(days=days)


def ask(world, resource, quantity=1, *, who="dave", **more) -> ShareRequest:
    """A request for `quantity` of every pool of the resource, or for more["quantities"]."""
    quantities = more.pop("quantities", None)
    if quantities is None:
        quantities = {pool.pk: Decimal(quantity) for pool in resource.pools.order_by("pk")}
    line = more.get("line")
    fields = {
        "quantities": quantities,
        "starts_on": someday(),
        "months": line.months if line else 24,
        "purpose": "5G coverage",
        "key": uuid4(),
        **more,
    }
    return actions.request_space(by=world.user(who), membership=world.as_[who], resource=resource, **fields)


def offer(world, case: ShareRequest, *, who="alice", price_fen=1_200_000, answers=None, **more) -> Offer:
    """The next version by one side; answers the latest offer unless told otherwise."""
    if answers is None:
        answers = case.offers.count()
    quantities = {item.pool_id: item.quantity for item in case.items.order_by("pk")}
    fields = {"quantities": quantities, "starts_on": case.starts_on, "months": case.months, **more}
    return actions.make_offer(
        request=case,
        by=world.user(who),
        membership=world.as_[who],
        answers=answers,
        price_fen_per_year=price_fen,
        **fields,
    )


def accept(world, made: Offer, *, who="dave") -> Agreement:
    return actions.accept_offer(offer=made, by=world.user(who), membership=world.as_[who])


def agree(world, resource, **more) -> Agreement:
    """Asked, offered by Alice, accepted by Dave."""
    case = ask(world, resource, **more)
    return accept(world, offer(world, case))


def sign(world, agreement: Agreement, who: str, password: str = PASSWORD):
    return actions.sign(
        agreement=agreement,
        by=world.user(who),
        membership=world.as_[who],
        password=password,
        terms_sha256=agreement.terms_sha256,
    )


def signed(world, resource, **more) -> Agreement:
    """Signed by Alice for the owner and Dora for the applicant."""
    agreement = agree(world, resource, **more)
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    agreement.refresh_from_db()
    return agreement


def run_out(case: ShareRequest) -> None:
    """Sets the request's clock, and that of its hold, to a minute ago."""
    past = timezone.now() - dt.timedelta(minutes=1)
    ShareRequest.objects.filter(pk=case.pk).update(due_at=past)
    for item in case.items.select_related("reservation").order_by("pk"):
        type(item.reservation).objects.filter(pk=item.reservation_id).update(expires_at=past)
