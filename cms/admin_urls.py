"""Our door before Wagtail's: signing in, passwords and the personal page are allauth's and ours alone.

Wagtail's own login knows no lock-out and no second factor, and its account page would change an e-mail
address without verifying it. Included ahead of wagtail.admin.urls, so that these addresses win.
"""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.urls import path, re_path
from django.utils.http import url_has_allowed_host_and_scheme


def login(request):
    """To allauth's login, which brings the person back to where they wanted to go."""
    wanted = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        wanted = resolve_url("wagtailadmin_home")
    if request.user.is_authenticated:
        return redirect(wanted)
    return redirect_to_login(wanted, resolve_url(settings.LOGIN_URL))


def password_reset(request, rest=""):
    """To allauth's reset, whatever step of Wagtail's was asked for."""
    return redirect("account_reset_password")


def account(request, rest=""):
    """To the person's own page of the portal."""
    return redirect("profile")


def logout(request):
    """To allauth's: a POST goes on as one, a GET asks there (Wagtail's own view signs out on GET)."""
    return HttpResponseRedirect(resolve_url("account_logout"), preserve_request=request.method == "POST")


urlpatterns = [
    path("login/", login, name="cms_login"),
    path("logout/", logout, name="cms_logout"),
    re_path(r"^password_reset/(?P<rest>.*)$", password_reset, name="cms_password_reset"),
    re_path(r"^account/(?P<rest>.*)$", account, name="cms_account"),
]
