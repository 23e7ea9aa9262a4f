"""The bureau's section of the Wagtail admin: its screens, its menu, its style sheet."""

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, InlinePanel
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from accounts.permissions import is_bureau_staff
from listings.models import Standard

from . import line_bulk, wordings
from .comment_steps import SettleCommentView
from .line_viewset import DemandLineViewSet
from .list_viewset import DemandListViewSet
from .middleware import is_portal_editor
from .models import Wording
from .views import calendar, desk, objections


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
        path("desk/objections/", objections.objections, name="bureau_objections"),
        path("desk/objections/<int:pk>/", objections.DecideView.as_view(), name="bureau_objection_decide"),
        path("desk/corrections/<int:pk>/<slug:verb>/", objections.AnswerCorrectionView.as_view(),
             name="bureau_correction_answer"),
        path("desk/comments/<int:pk>/settle/", SettleCommentView.as_view(), name="bureau_comment_settle"),
        path("desk/calendar/", calendar.calendar, name="bureau_calendar"),
        path("desk/calendar/<int:pk>/", calendar.TakeOutDayView.as_view(), name="bureau_calendar_day"),
    ]  # fmt: skip


for _action in line_bulk.ACTIONS:
    hooks.register("register_bulk_action", _action)


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


@hooks.register("register_admin_menu_item")
def calendar_item():
    return BureauMenuItem(_("Working days"), "bureau_calendar", name="bureau-calendar", icon_name="date", order=50)


class PortalMenuItem(BureauMenuItem):
    """The way back out of the admin, for whoever is inside."""

    def is_shown(self, request):
        return True


@hooks.register("register_admin_menu_item")
def portal_item():
    return PortalMenuItem(_("Back to the portal"), "my_work", name="portal", icon_name="home", order=5)


@hooks.register("construct_main_menu")
def only_what_opens(request, items):
    """Bureau staff see their own section; Wagtail's sections would answer 404 (cms.middleware)."""
    if not is_portal_editor(request.user):
        items[:] = [item for item in items if getattr(item, "is_bureaus", False)]


@hooks.register("insert_global_admin_css")
def admin_css():
    return format_html('<link rel="stylesheet" href="{}">', static("css/cms-admin.css"))


# --- The portal's editors: the library and the words of the portal -----------------------------


class StandardViewSet(SnippetViewSet):
    model = Standard
    icon = "doc-full"
    menu_label = _("Standards")
    add_to_admin_menu = True
    add_to_reference_index = False
    list_display = ["code", "title_zh", "version", "type", "valid_from", "valid_until"]
    list_filter = ["type"]
    search_fields = ["code", "title_zh", "title_en"]
    panels = [
        *[FieldPanel(name) for name in (
            "code", "version", "type", "kinds", "title_zh", "title_en", "summary_zh", "summary_en", "source",
            "valid_from", "valid_until", "to_confirm", "supersedes",
        )],
        InlinePanel("items", label=_("Checklist")),
    ]  # fmt: skip


class WordingViewSet(SnippetViewSet):
    model = Wording
    icon = "edit"
    menu_label = _("Wordings")
    add_to_admin_menu = True
    add_to_reference_index = False
    list_display = ["source", "language", "text", "note"]
    list_filter = ["language"]
    search_fields = ["source", "text"]
    panels = [FieldPanel(name) for name in ("language", "source", "text", "note")]


register_snippet(StandardViewSet)
register_snippet(WordingViewSet)


@receiver([post_save, post_delete], sender=Wording)
def wordings_changed(**_kwargs):
    transaction.on_commit(wordings.changed)
