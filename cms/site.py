"""The pages a fresh installation has: home, lists, standards and guides, in Chinese and English, linked.

Idempotent: what is there is left as its editors made it.
"""

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from wagtail.models import Collection, Locale, Page, Site

from listings.demand_links import LISTS_SLUG
from listings.models import Standard, StandardItem

from .models import ArticlePage, DemandListsPage, HomePage, NewsPage, NoticePage, StandardsPage
from .starter import ARTICLES, HOME, LISTS
from .starter_library import LIBRARY, NEWS, NOTICES, STANDARDS

ZH, EN = "zh-hans", "en"


@transaction.atomic
def ensure_site() -> HomePage:
    """Creates what is missing of locales, collection, both trees and the site; gives the Chinese home page."""
    ContentType.objects.clear_cache()
    locales = {code: Locale.objects.get_or_create(language_code=code)[0] for code in (ZH, EN)}
    if not Collection.objects.exists():
        Collection.add_root(name="Root")
    root = Page.objects.filter(depth=1).order_by("path").first() or Page.add_root(
        title="Root", slug="root", locale=locales[ZH]
    )
    home = _home(root, locales)
    _pair(home, DemandListsPage, LISTS_SLUG, locales, LISTS)
    for slug, texts in ARTICLES.items():
        _article(home, slug, texts, locales)
    news = _pair(home, NewsPage, "news", locales, NEWS)
    for slug, texts in NOTICES.items():
        _pair(news, NoticePage, slug, locales, texts)
    standards = {code: ArticlePage.objects.child_of(home[code]).get(slug="standards") for code in (ZH, EN)}
    _pair(standards, StandardsPage, "library", locales, LIBRARY)
    _standards()
    _site(home[ZH])
    return home[ZH]


def _home(root: Page, locales: dict) -> dict[str, HomePage]:
    zh = HomePage.objects.filter(locale=locales[ZH]).order_by("path").first()
    if zh is None:
        # Wagtail's own first migration leaves a welcome page where ours belongs.
        for welcome in Page.objects.filter(depth=2, slug="home").order_by("path"):
            if welcome.specific_class is Page:
                Site.objects.filter(root_page=welcome).delete()
                welcome.delete()
        root = Page.objects.get(pk=root.pk)
        zh = root.add_child(instance=HomePage(slug="home", locale=locales[ZH], **HOME[ZH]))
    en = HomePage.objects.filter(translation_key=zh.translation_key, locale=locales[EN]).first()
    if en is None:
        root = Page.objects.get(pk=root.pk)
        page = HomePage(slug="home-en", locale=locales[EN], translation_key=zh.translation_key, **HOME[EN])
        en = root.add_child(instance=page)
    return {ZH: zh, EN: en}


def _pair(parents: dict, model: type[Page], slug: str, locales: dict, texts: dict) -> dict[str, Page]:
    """The page of that slug below each language's parent, the two linked by their translation key."""
    made: dict[str, Page] = {}
    for code in (ZH, EN):
        parent = Page.objects.get(pk=parents[code].pk)
        page = model.objects.child_of(parent).filter(slug=slug).first()
        if page is None:
            linked = {"translation_key": made[ZH].translation_key} if ZH in made else {}
            page = parent.add_child(instance=model(slug=slug, locale=locales[code], **texts[code], **linked))
        made[code] = page
    return made


def _article(parents: dict, slug: str, texts: dict, locales: dict) -> None:
    pages = _pair(parents, ArticlePage, slug, locales, texts)
    for child_slug, child in texts.get("children", {}).items():
        _article(pages, child_slug, child, locales)


def _standards() -> None:
    """The library's first documents; one that is there under its code stays as its editors made it."""
    for texts in STANDARDS:
        items = texts.get("items", [])
        head = {name: value for name, value in texts.items() if name != "items"}
        if Standard.objects.filter(code=head["code"]).exists():
            continue
        made = Standard.objects.create(**head)
        for number, (zh, en, clause) in enumerate(items, start=1):
            StandardItem.objects.create(standard=made, number=number, text_zh=zh, text_en=en, clause=clause)


def _site(home: HomePage) -> None:
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        Site.objects.create(
            hostname="localhost", port=80, root_page=home, is_default_site=True, site_name="共建 Gongjian"
        )
    elif not isinstance(site.root_page.specific, HomePage):
        site.root_page = home
        site.save()
