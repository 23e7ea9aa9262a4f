"""Wagtail pages: what visitors read and editors word."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path
from wagtail.fields import RichTextField
from wagtail.models import Page


class HomePage(Page):
    """The front page: one sentence, three doors, live figures, latest lists, a small map."""

    lead = models.CharField(_("lead sentence"), max_length=240, blank=True)
    content_panels = [*Page.content_panels, FieldPanel("lead")]
    max_count_per_parent = 1
    template = "cms/home_page.html"


class DemandListsPage(RoutablePageMixin, Page):
    """The public pages of demand lists: an index, and one page per list under its reference."""

    introduction = RichTextField(_("introduction"), blank=True)
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    template = "cms/demand_lists_page.html"

    # The routes (index and "<reference>/") are in cms/list_pages.py terms: see the views they call.


class ArticlePage(Page):
    """A plain page of text: a guide, a notice, a standard."""

    body = RichTextField(_("text"), blank=True)
    content_panels = [*Page.content_panels, FieldPanel("body")]
    template = "cms/article_page.html"
