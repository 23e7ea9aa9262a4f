"""What a request's conversation can speak of, which bureau can be asked in, and when a pin tells an exact place."""

from collections.abc import Iterable

from django.contrib.gis.geos import GEOSGeometry
from django.db import models
from django.db.models import BooleanField, F, Func, TextField, Value
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Organisation
from listings.models import Resource
from listings.models.resources import Disclosure
from messaging.models import Thread
from messaging.subjects import Subject, Thing, register

from .models import Agreement, Offer, ShareRequest
from .sheets.models import TermSheet
from .sheets.presenters import lead_language

NEAR_M = 200  # a pin this near shows the place; a blurred cell is at least 1 km wide (listings/disclosure.py)


def _within(shape: GEOSGeometry, metres: float) -> Func:
    """Whether the exact place lies so near to the shape, on the spheroid."""
    drawn = Func(Value(shape.ewkt, output_field=TextField()), function="ST_GeomFromEWKT")
    sides = [Func(side, function="geography") for side in (F("place"), drawn)]
    return Func(*sides, Value(metres), function="ST_DWithin", output_field=BooleanField())


def url_within(request_id: int, model: type[models.Model] | None, pk: int) -> str:
    """The page of a thing of the case: the resource, the terms (offers and their clauses) or the agreement."""
    if model is Resource:
        return reverse("resource_detail", args=[pk])
    if model in (Offer, TermSheet):
        return reverse("sheet_detail", args=[request_id])
    return reverse("agreement_detail", args=[pk]) if model is Agreement else ""


class RequestSubject(Subject):
    kind = gettext_lazy("Request")

    def url(self, subject: ShareRequest) -> str:
        return reverse("request_detail", args=[subject.pk])

    def bureaus(self, subject: ShareRequest) -> list[Organisation]:
        """Those whose jurisdiction covers the resource; the narrowest first. Queries twice."""
        region = subject.resource.region
        rows = Organisation.objects.bureaus().verified().select_related("region").order_by("-region__level", "pk")
        return [bureau for bureau in rows.defer("region__polygon") if bureau.region.covers(region)]

    def things(self, subject: ShareRequest, membership: Membership) -> Iterable[Thing]:
        """The resource, every version of the terms, the clauses of the last one, and the agreement once there is one.
        Queries thrice."""
        yield Thing(f"resource:{subject.resource_id}", subject.resource.name, subject.resource)
        offer = None
        for offer in subject.offers.select_related("sheet").order_by("number"):
            yield Thing(f"offer:{offer.pk}", _("Offer v%(number)d") % {"number": offer.number}, offer)
        if offer and (sheet := getattr(offer, "sheet", None)):
            for clause in sheet.clauses:
                words = {"title": clause["title"][lead_language()], "number": offer.number}
                label = _("Clause “%(title)s” of offer v%(number)d") % words
                yield Thing(f"clause:{offer.pk}:{clause['code']}", label, sheet)
        agreement = getattr(subject, "agreement", None)
        if agreement:
            label = _("Agreement %(reference)s") % {"reference": agreement.reference}
            yield Thing(f"agreement:{agreement.pk}", label, agreement)

    def thing_url(self, thread: Thread, model: type[models.Model] | None, pk: int) -> str:
        return url_within(thread.subject_id, model, pk)

    def place_warning(self, subject: ShareRequest, membership: Membership, shape: GEOSGeometry) -> str:
        """Asked only of those who may see the exact place themselves: for others it would be a way to find it."""
        exact = Resource.objects.visible_to(membership).filter(pk=subject.resource_id, is_exact=True)
        if not exact.exclude(disclosure=Disclosure.EXACT).exists():
            return ""
        if not Resource.objects.filter(pk=subject.resource_id).filter(_within(shape, NEAR_M)).exists():
            return ""
        return _(
            "This shows the exact place of %(resource)s (within %(metres)d m), which is shown blurred to others."
            " Everybody in this conversation will read it. Send it only if they may."
        ) % {"resource": subject.resource.name, "metres": NEAR_M}


register(ShareRequest, RequestSubject())
