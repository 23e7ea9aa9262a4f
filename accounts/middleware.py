from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.utils.functional import SimpleLazyObject

from . import sessions
from .models import Membership

SESSION_KEY = "organisation_id"


class PersonMiddleware(AuthenticationMiddleware):
    """request.user (lazy), as Django decides it, from the row the session came with."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _person(request))


def _known(request) -> sessions.Known | None:
    request.session.get(USER_KEY)  # reads the session
    return getattr(request.session, "known", None)


def _person(request):
    with sessions.told(_known(request)):
        return get_user(request)


def _memberships(request) -> list[Membership]:
    """The person's active memberships, oldest first. Asks where the session did not tell: at sign-in."""
    known = _known(request)
    if known and known.user.pk == request.user.pk:
        return known.memberships
    return list(
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("organisation__region")
        .defer("organisation__region__polygon")  # read on every page; a province's has thousands of corners
        .order_by("created_at", "pk")
    )


def active_membership(request) -> Membership | None:
    """The membership the person acts under now: the one chosen in the switcher, else the oldest."""
    if not request.user.is_authenticated:
        return None
    memberships = _memberships(request)
    for membership in memberships:
        membership.user = request.user
    request.memberships = memberships
    chosen = request.session.get(SESSION_KEY)
    return next((m for m in memberships if m.organisation_id == chosen), memberships[0] if memberships else None)


class ActiveMembershipMiddleware:
    """request.membership (lazy, falsy without one): for which organisation, with which roles, this person acts."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.membership = SimpleLazyObject(lambda: active_membership(request))
        return self.get_response(request)
