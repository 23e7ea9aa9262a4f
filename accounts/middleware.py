from django.utils.functional import SimpleLazyObject

from .models import Membership

SESSION_KEY = "organisation_id"


def active_membership(request) -> Membership | None:
    """The membership the person acts under now: the one chosen in the switcher, else the oldest. Queries once."""
    if not request.user.is_authenticated:
        return None
    memberships = list(
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("organisation__region")
        .defer("organisation__region__polygon")  # read on every page; a province's has thousands of corners
        .order_by("created_at", "pk")
    )
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
