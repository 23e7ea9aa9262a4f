"""Wagtail pages: what visitors read and editors word. What the pages show beyond text is put together in cms.views."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path
from wagtail.fields import RichTextField
from wagtail.models import Page

TEXT_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "document-link", "image", "hr"]


class HomePage(Page):
    """The front page: one sentence, three doors, live figures, latest lists, a small map."""

    lead = models.CharField(_("lead sentence"), max_length=240, blank=True)
    content_panels = [*Page.content_panels, FieldPanel("lead")]
    parent_page_types = ["wagtailcore.Page"]
    template = "cms/home_page.html"

    def get_context(self, request, *args, **kwargs):
        from .views import home

        return super().get_context(request, *args, **kwargs) | home.context(request)


class DemandListsPage(RoutablePageMixin, Page):
    """The public pages of demand lists: an index, and below it one page per list under its reference."""

    introduction = RichTextField(_("introduction"), blank=True, features=TEXT_FEATURES)
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    parent_page_types = ["cms.HomePage"]
    subpage_types: list[str] = []
    template = "cms/demand_lists_page.html"

    @path("")
    def index(self, request):
        from .views import lists

        return lists.index(request, self)

    @path("<slug:reference>/")
    def detail(self, request, reference):
        from .views import lists

        return lists.detail(request, self, reference)

    @path("<slug:reference>/csv/")
    def csv(self, request, reference):
        from .views import lists

        return lists.csv(request, reference)

    @path("<slug:reference>/geojson/")
    def geojson(self, request, reference):
        from .views import lists

        return lists.geojson(request, reference)

    @path("<slug:reference>/objections/")
    def objections(self, request, reference):
        from .views import lists

        return lists.object_to(request, self, reference)

    @path("<slug:reference>/<int:number>/")
    def line(self, request, reference, number):
        from .views import lists

        return lists.line(request, self, reference, number)


class ArticlePage(Page):
    """A plain page of text: a guide, a notice, a standard. Its children are listed below the text."""

    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    body = RichTextField(_("text"), blank=True, features=TEXT_FEATURES)
    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("body")]
    parent_page_types = ["cms.HomePage", "cms.ArticlePage"]
    subpage_types = ["cms.ArticlePage"]
    template = "cms/article_page.html"

    def get_context(self, request, *args, **kwargs):
        children = self.get_children().live().public().in_menu().order_by("path").specific()
        return super().get_context(request, *args, **kwargs) | {"children": children}
