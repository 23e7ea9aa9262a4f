"""What script/bench pages asks for, and who asks."""

from collections.abc import Iterator

from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from accounts.models import User
from agreements.demo.cast import address as email_of
from tests.access_table import TABLE

PEOPLE = ["carol", "hu", "zhao", "alice", "tang", "dave", "dora"]
BACKEND = "accounts.backends.PasswordBackend"
# Pages whose cost depends on what is asked of them: more addresses of the same page.
FURTHER = [
    ("resource_map", "?q=%E9%93%81%E5%A1%94"),  # a word in most names
    ("resource_map", "?kind=tower&sort=price&page=3"),
    ("resource_results", "?near=113.33,23.13&radius=5000&sort=distance"),
    ("resource_results", "?kind=room&kind=duct&sort=free"),
    ("resource_suggest", "?q=%E5%B9%BF%E5%B7%9E"),
    ("resource_list_own", "?page=3"),
    ("bureau_lines:index", "?p=2"),
    ("event_log", "?page=3"),
]
TILES = [(3, 6, 3), (6, 52, 27), (8, 208, 111), (10, 834, 444), (12, 3337, 1777), (14, 13348, 7109)]
OTHERS = {"allauth", "wagtail"}
# Wagtail's addresses that are no pages of their own: choosers' parts, previews, machine answers.
NO_PAGES = (
    "chooser",
    "preview",
    "sprite",
    "logout",
    "lock",
    "jsi18n",
    "_results",
    "autocomplete",
    "dismiss",
    "api:",
    "error_test",
)


def clients_of() -> dict[str, Client]:
    """One signed-in client per person, a visitor, and an editor of the portal's own pages."""
    options = {"SERVER_NAME": "127.0.0.1", "raise_request_exception": False}
    clients = {"visitor": Client(**options)}
    editor = User.objects.create_superuser("bench@demo.gongjian.example", "not used to sign in")
    for name in [*PEOPLE, "editor"]:
        person = editor if name == "editor" else User.objects.get(email=email_of(name))
        clients[name] = Client(**options)
        clients[name].force_login(person, backend=BACKEND)
    return clients


def addresses(things: dict) -> Iterator[tuple[str, str]]:
    """(name, address) of everything that is asked for; address "" where bench.demo_things has no such thing yet."""
    for name, row in TABLE.items():
        if row.method != "GET" or name.startswith("tile_"):
            continue
        args = [things.get(arg, arg) if isinstance(arg, str) else arg for arg in row.args]
        try:
            yield name, reverse(name, args=args) + row.query.format_map(things)
        except (NoReverseMatch, KeyError):  # a noun bench.demo_things does not know yet
            yield name, ""
    for name, query in FURTHER:
        yield f"{name} {query[:20]}", reverse(name) + query
    for name, job in (("import_place", "job_placing"), ("import_report", "job_ready"), ("import_detail", "job_ready")):
        yield f"{name} {job}", reverse(name, args=[things[job]])
    for tile in TILES:
        for name in ("tile_resources", "tile_regions"):
            yield f"{name} z{tile[0]}", reverse(name, args=tile)
    yield from _public_pages()
    yield from sorted(_others())


def _public_pages() -> Iterator[tuple[str, str]]:
    from wagtail.models import Page

    for page in Page.objects.live().filter(depth__gt=1).order_by("pk"):
        yield f"page {page.get_url()}", page.get_url() or ""
    yield "page /lists/ the longest", _longest_list()


def _longest_list() -> str:
    """The public page of the list with the most lines."""
    from django.db.models import Count

    from cms.models import DemandListsPage
    from listings.models import DemandList

    row = DemandList.objects.exclude(state__in=["draft", "submitted"]).annotate(n=Count("lines")).latest("n")
    page = DemandListsPage.objects.live().order_by("pk").first()
    return f"{page.get_url()}{row.reference}/"


def _others(resolver=None, namespace="") -> Iterator[tuple[str, str]]:
    """Pages of allauth and of Wagtail's admin that take no argument."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _others(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern) and pattern.callback.__module__.split(".")[0] in OTHERS:
            name = f"{namespace}{pattern.name}"
            if pattern.name and not any(word in name for word in NO_PAGES):
                try:
                    yield name, reverse(name)
                except NoReverseMatch:
                    continue
