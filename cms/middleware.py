"""The door of the CMS: who comes in, how far, and under which content policy."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.backends import ADMIN_ACCESS

# What a bureau's staff reach: their desk, their own models, and what every admin page itself loads.
# Everything else of Wagtail's (pages, images, documents, reports, users, settings, API …) is for
# editors and answers 404, so that a new section of Wagtail's is closed until somebody opens it here.
BUREAU_NAMESPACES = {"bureau_lists", "bureau_lines"}
BUREAU_NAMES = {
    "bureau_desk",
    "bureau_objections",
    "bureau_objection_decide",
    "bureau_correction_answer",
    "bureau_calendar",
    "bureau_calendar_day",
    "bureau_comment_settle",
    "wagtailadmin_dismissibles",
}
OPEN_NAMES = {
    "cms_login",
    "cms_logout",
    "cms_password_reset",
    "cms_account",
    "wagtailadmin_sprite",
    "wagtailadmin_javascript_catalog",
}

# Wagtail initialises its date pickers, page choosers and inline panels by inline scripts that carry
# no nonce. Only its own editors' sections may run them; the bureau's desk keeps the site's policy.
EDITOR_POLICY = {"script-src": ["'unsafe-inline'"], "style-src": ["'unsafe-inline'"]}


def is_portal_editor(user) -> bool:
    """Whether the CMS is open to the person in its own right: a superuser, or by a Wagtail group."""
    if user.is_superuser:
        return True
    return user.groups.filter(
        permissions__codename="access_admin", permissions__content_type__app_label="wagtailadmin"
    ).exists()


class AdminDoorMiddleware:
    """Runs before every view under /cms/ (in any language)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if getattr(request, "is_editors_section", False):
            response._csp_update = EDITOR_POLICY
        return response

    def process_view(self, request, view, args, kwargs):
        """Lets the request through (None), or answers it: to the login, the desk, 403 with words, or 404."""
        match = request.resolver_match
        if match.url_name == "wagtailcore_login":  # Wagtail's third login, for private pages: no lock-out there either
            return redirect_to_login(request.GET.get("next", "/"), reverse("account_login"))
        if not request.path_info.startswith(reverse("wagtailadmin_home")):
            return None
        if match.url_name in OPEN_NAMES:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        is_bureaus = (
            _is_bulk_of_lines(match)
            or match.url_name in BUREAU_NAMES
            or bool(BUREAU_NAMESPACES.intersection(match.namespaces))
        )
        if not request.user.has_perm(ADMIN_ACCESS):
            return refused(request, _("This part of the portal is the desk of the bureaus' curators and publishers."))
        if is_bureaus:
            return None
        if not is_portal_editor(request.user):
            if match.url_name == "wagtailadmin_home":
                return redirect("bureau_desk")
            raise Http404("closed to bureau staff")
        request.is_editors_section = True
        return None


def _is_bulk_of_lines(match) -> bool:
    """Wagtail's one address of all bulk actions; those on demand lines are the bureaus' (cms.line_bulk)."""
    return match.url_name == "wagtail_bulk_action" and (
        match.kwargs.get("app_label"), match.kwargs.get("model_name")
    ) == ("listings", "demandline")  # fmt: skip


def refused(request, sentence):
    """A page that says why not and where to go instead, 403."""
    return render(request, "cms/refused.html", {"sentence": sentence}, status=403)
