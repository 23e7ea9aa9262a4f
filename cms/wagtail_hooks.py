"""The bureau's section of the Wagtail admin: its screens, its menu, its style sheet."""

from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from accounts.permissions import is_bureau_staff

from .line_viewset import DemandLineViewSet
from .list_viewset import DemandListViewSet
from .middleware import is_portal_editor
from .views import desk


class BureauMenuItem(MenuItem):
    """Shown to who acts for a bureau; its address follows the language of each request."""

    is_bureaus = True

    def __init__(self, label, url_name, **kwargs):
        super().__init__(label, "", **kwargs)
        self.url_name = url_name

    def is_shown(self, request):
        return is_bureau_staff(request.membership or None)

    def render_component(self, request):
        self.url = reverse(self.url_name)
        return super().render_component(request)


@hooks.register("register_admin_viewset")
def register_viewsets():
    return [DemandListViewSet(), DemandLineViewSet()]


@hooks.register("register_admin_urls")
def register_desk():
    return [
        path("desk/", desk.desk, name="bureau_desk"),
        path("desk/objections/", desk.objections, name="bureau_objections"),
    ]


@hooks.register("register_admin_menu_item")
def desk_item():
    return BureauMenuItem(_("Bureau's desk"), "bureau_desk", name="bureau-desk", icon_name="clipboard-list", order=10)


@hooks.register("register_admin_menu_item")
def lists_item():
    return BureauMenuItem(_("Demand lists"), "bureau_lists:index", name="bureau-lists", icon_name="list-ul", order=20)


@hooks.register("register_admin_menu_item")
def lines_item():
    return BureauMenuItem(_("Demand lines"), "bureau_lines:index", name="bureau-lines", icon_name="list-ol", order=30)


@hooks.register("register_admin_menu_item")
def objections_item():
    return BureauMenuItem(_("Objections"), "bureau_objections", name="bureau-objections", icon_name="comment", order=40)


@hooks.register("construct_main_menu")
def only_what_opens(request, items):
    """Bureau staff see their own section; Wagtail's sections would answer 404 (cms.middleware)."""
    if not is_portal_editor(request.user):
        items[:] = [item for item in items if getattr(item, "is_bureaus", False)]


@hooks.register("insert_global_admin_css")
def admin_css():
    return format_html('<link rel="stylesheet" href="{}">', static("css/cms-admin.css"))
