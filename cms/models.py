"""Wagtail pages: what visitors read and editors word. What the pages show beyond text is put together in cms.views."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.images.blocks import ImageChooserBlock
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

    @path("<slug:reference>/changes/")
    def changes(self, request, reference):
        from .views import lists

        return lists.changes(request, self, reference)

    @path("<slug:reference>/clock/")
    def clock(self, request, reference):
        from .views import feeds

        return feeds.list_calendar(request, reference)


class ArticlePage(Page):
    """A plain page of text: a guide, a notice, a standard. Its children are listed below the text."""

    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    body = RichTextField(_("text"), blank=True, features=TEXT_FEATURES)
    content_panels = [*Page.content_panels, FieldPanel("introduction"), FieldPanel("body")]
    parent_page_types = ["cms.HomePage", "cms.ArticlePage"]
    subpage_types = ["cms.ArticlePage", "cms.StandardsPage"]
    template = "cms/article_page.html"

    def get_context(self, request, *args, **kwargs):
        children = self.get_children().live().public().in_menu().order_by("path").specific()
        return super().get_context(request, *args, **kwargs) | {"children": children}


class NewsPage(Page):
    """The index of policy notices and news, latest first; its children are one notice each."""

    introduction = RichTextField(_("introduction"), blank=True, features=TEXT_FEATURES)
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    parent_page_types = ["cms.HomePage"]
    subpage_types = ["cms.NoticePage"]
    template = "cms/news_page.html"

    def get_context(self, request, *args, **kwargs):
        from .views import news

        return super().get_context(request, *args, **kwargs) | news.index_context(request, self)


class NoticePage(Page):
    """One policy notice or piece of news: text, quotations, tables of facts, pictures and documents."""

    class Sort(models.TextChoices):
        POLICY = "policy", _("Policy notice")
        NEWS = "news", _("News")

    sort = models.CharField(_("sort"), max_length=8, choices=Sort.choices, default=Sort.NEWS)
    on = models.DateField(_("date"))
    source = models.CharField(_("source"), max_length=200, blank=True, help_text=_("Who issued it, and its number."))
    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    body = StreamField(
        [
            ("text", blocks.RichTextBlock(features=TEXT_FEATURES, label=_("Text"))),
            ("quote", blocks.BlockQuoteBlock(label=_("Quotation"))),
            (
                "facts",
                blocks.ListBlock(
                    blocks.StructBlock(
                        [("label", blocks.CharBlock(label=_("What"))), ("value", blocks.CharBlock(label=_("Value")))]
                    ),
                    label=_("Facts"),
                ),
            ),
            ("image", ImageChooserBlock(label=_("Picture"))),
            ("document", DocumentChooserBlock(label=_("Document"))),
        ],
        verbose_name=_("content"), blank=True,
    )  # fmt: skip
    content_panels = [
        *Page.content_panels, FieldPanel("sort"), FieldPanel("on"), FieldPanel("source"), FieldPanel("introduction"),
        FieldPanel("body"),
    ]  # fmt: skip
    parent_page_types = ["cms.NewsPage"]
    subpage_types: list[str] = []
    template = "cms/notice_page.html"


class StandardsPage(RoutablePageMixin, Page):
    """The library of standards and acceptance checklists: by sort and kind, with versions and validity."""

    introduction = RichTextField(_("introduction"), blank=True, features=TEXT_FEATURES)
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    parent_page_types = ["cms.HomePage", "cms.ArticlePage"]
    subpage_types: list[str] = []
    template = "cms/standards_page.html"

    @path("")
    def index(self, request):
        from .views import standards

        return standards.index(request, self)

    @path("<int:pk>/")
    def detail(self, request, pk):
        from .views import standards

        return standards.detail(request, self, pk)


class Wording(models.Model):
    """Words of the portal as its editors want them: takes the place of one text of the product in one language.

    Applied by cms.wordings in every process within some seconds; taken out, the product's own text is back.
    """

    class Language(models.TextChoices):
        ZH = "zh-hans", "简体中文"
        EN = "en", "English"

    language = models.CharField(_("language"), max_length=10, choices=Language.choices)
    source = models.TextField(_("text in the product (English)"), help_text=_("Exactly as the English page shows it."))
    text = models.TextField(_("what it should read"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        ordering = ["source", "language"]
        constraints = [models.UniqueConstraint(fields=["language", "source"], name="wording_once")]

    def __str__(self):
        return self.text[:80]

    def clean(self):
        from .wordings import problem

        if sentence := problem(self.source, self.text):
            raise ValidationError({"text": sentence})
