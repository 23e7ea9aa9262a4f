"""Who gets how far into the CMS: every address of the admin, as another bureau, as bureau staff, as anybody."""

import django.test.client
import pytest
from django.contrib.auth.models import Group, Permission
from django.template import engines
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from wagtail.models import ModelLogEntry, Page

from accounts.models import CalendarDay, User
from cms.line_viewset import DemandLineViewSet
from cms.list_viewset import DemandListViewSet
from listings.models import DemandLine, DemandList, DeskComment, LineCorrection, Objection
from tests.cms.addresses import at
from tests.world import PASSWORD, make_line, make_list

pytestmark = pytest.mark.django_db

SECRET = "绝密题目XYZZY"
LIST_VIEWS = [
    "edit",
    "inspect",
    "download",
    "changes",
    "co_sign",
    "call",
    "close_call",
    "duplicates",
    "discard",
    "copy",
    "comment",
]
LINE_VIEWS = ["edit", "inspect", "delete", "withdraw", "correct", "split", "versions", "comment"]
OTHER_VIEWS = {
    "bureau_objection_decide": [],
    "bureau_correction_answer": ["x"],
    "bureau_calendar_day": [],
    "bureau_comment_settle": [],
}
SAMPLES = {"int": "1", "str": "1", "slug": "x", "uuid": "00000000-0000-0000-0000-000000000001", "path": "x"}


@pytest.fixture(autouse=True)
def _wagtails_templates(_strict_templates, monkeypatch):
    """Wagtail leans on undefined variables; here its own pages are swept by the hundred."""
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", "")
    # The client would copy the context of each template rendered, tens of thousands of times; nothing here reads it.
    monkeypatch.setattr(django.test.client, "store_rendered_templates", lambda *_args, **_kwargs: None)


def admin_addresses(**values) -> list[str]:
    """Every address below /cms/ the resolver knows, its parameters filled in; values by parameter name."""
    found = []

    def walk(resolver, prefix):
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern, prefix + part(pattern.pattern))
            elif isinstance(pattern, URLPattern):
                found.append(prefix + part(pattern.pattern))

    def part(pattern) -> str:
        route = str(pattern)
        for name, converter in getattr(pattern, "converters", {}).items():
            kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
            value = values.get(name, SAMPLES.get(kind, "1"))
            for spelling in (f"<{kind}:{name}>", f"<{name}>"):
                route = route.replace(spelling, str(value))
        return route

    walk(get_resolver(), "/")
    plain = [path for path in found if path.startswith("/cms/") and not set("^$()\\<>?*+") & set(path)]
    return sorted(set(plain))


@pytest.fixture
def rows(world):
    """A draft, a submitted and a public list of Carol's bureau with lines and an objection, all named SECRET."""
    lists = [
        make_list(
            world.bureau,
            state=state,
            submitted_by=world.carol,
            published_by=world.chen,
            title_zh=SECRET,
            title_en=SECRET,
        )
        for state in ("draft", "submitted", "notice")
    ]
    for row in lists:
        line = make_line(row, title=SECRET)
        Objection.objects.create(demand_list=row, line=line, organisation=world.evil, made_by=world.eve, text=SECRET)
        DeskComment.objects.create(
            demand_list=row, line=line, text=SECRET, organisation=world.bureau, written_by=world.carol
        )
        LineCorrection.objects.create(line=line, fields={"title": SECRET}, reason=SECRET, proposed_by=world.carol)
    CalendarDay.objects.create(
        region=world.bureau.region, day="2030-01-05", is_workday=True, name=SECRET, source="x", set_by=world.chen
    )
    return lists


def text_of(response) -> str:
    data = b"".join(response.streaming_content) if response.streaming else response.content
    return data.decode("utf-8", "replace")


def test_the_sweep_knows_the_bureaus_addresses():
    addresses = admin_addresses()
    for viewset, views in ((DemandListViewSet(), [*LIST_VIEWS, "move"]), (DemandLineViewSet(), LINE_VIEWS)):
        with_key = {pattern.name for pattern in viewset.get_urlpatterns() if "pk" in str(pattern.pattern)}
        assert with_key == set(views)  # a new view of one object joins the sweep below, or this fails
    for name in LIST_VIEWS:
        assert at(f"bureau_lists:{name}", 1) in addresses
    for name in LINE_VIEWS:
        assert at(f"bureau_lines:{name}", 1) in addresses
    for name, args in OTHER_VIEWS.items():
        assert at(name, 1, *args) in addresses
    assert at("bureau_lists:move", 1, "x") in addresses
    assert at("wagtailadmin_reports:site_history") in addresses
    assert len(addresses) > 100


@pytest.mark.parametrize("is_editor_too", [False, True])
def test_no_address_tells_another_bureau_anything(client_as, world, rows, is_editor_too):
    """Also where Zhao is a portal editor besides, so that all of Wagtail's own sections open to him."""
    world.zhao.is_superuser = is_editor_too
    world.zhao.save()
    zhao = client_as("zhao")
    draft = rows[0]
    plain = set(admin_addresses())
    for pk in (draft.pk, draft.lines.get().pk):
        for address in admin_addresses(pk=pk, object_id=pk, instance_id=pk, verb="publish", app_label="listings"):
            if "failwhale" in address or (address in plain and pk != draft.pk):
                continue  # Wagtail's own test of its error page; and what names no object, once
            queries = ["", "?export=csv", f"?demand_list={draft.pk}"] if "demand" in address else [""]
            if address in plain and "report" in address:
                queries.append("?export=csv")
            for query in queries:
                response = zhao.get(address + query)
                assert response.status_code in (200, 301, 302, 400, 403, 404, 405), (address, response.status_code)
                if response.status_code == 200:
                    assert SECRET not in text_of(response), address + query


@pytest.mark.parametrize("name", ["zhao", "dave", "nora"])
def test_another_bureaus_objects_are_404_or_403_to_read_and_to_write(client_as, rows, name):
    stranger = client_as(name)
    expected = 404 if name == "zhao" else 403
    before = list(DemandList.objects.order_by("pk").values()), DemandLine.objects.count()
    for row in rows if name == "zhao" else rows[:1]:
        line = row.lines.get()
        targets = [at(f"bureau_lists:{view}", row.pk) for view in LIST_VIEWS]
        targets += [at("bureau_lists:move", row.pk, v) for v in ("submit", "publish", "send_back", "close")]
        targets += [at(f"bureau_lines:{view}", line.pk) for view in LINE_VIEWS]
        targets.append(at("bureau_objection_decide", line.objections.get().pk))
        targets += [at("bureau_correction_answer", line.corrections.get().pk, verb) for verb in ("apply", "refuse")]
        targets.append(at("bureau_calendar_day", CalendarDay.objects.get().pk))
        targets += [
            at("wagtail_bulk_action", "listings", "demandline", action) + f"?id={line.pk}"
            for action in ("change", "merge", "duplicates", "no-duplicates", "delete")
        ]
        targets.append(f"{at('bureau_lines:add')}?demand_list={row.pk}")
        for url in targets:
            for prefix in ("", "/en"):
                assert stranger.get(prefix + url).status_code == expected, url
            assert stranger.post(url, {"reason": "x", "title": "x"}).status_code == expected, url
    assert (list(DemandList.objects.order_by("pk").values()), DemandLine.objects.count()) == before


def test_one_bureaus_filters_do_not_offer_anothers_lists(client_as, rows):
    page = text_of(client_as("zhao").get(at("bureau_lines:index"), {"demand_list": rows[0].pk}))
    assert SECRET not in page


def test_wagtails_own_sections_are_closed_to_bureau_staff(client_as, rows):
    carol = client_as("carol")
    opened = []
    for address in admin_addresses():
        response = carol.get(address)
        assert response.status_code < 500, address
        is_ours = address.startswith(
            ("/cms/desk/", "/cms/demand-l", "/cms/login", "/cms/sprite/", "/cms/jsi18n/", "/cms/dismissibles/")
        )
        if response.status_code == 200 and not is_ours:
            opened.append(address)
    assert opened == []
    assert carol.get("/cms/pages/").status_code == 404
    assert carol.get("/cms/reports/site-history/").status_code == 404
    assert carol.get("/cms/")["Location"] == at("bureau_desk")


def test_nothing_of_ours_reaches_wagtails_log(client_as, world):
    """Wagtail's site history shows every logged object to every editor: ours are in our own log only."""
    from tests.cms.test_desk import HEAD, LINE

    carol = client_as("carol")
    carol.post(at("bureau_lists:add"), HEAD)
    row = DemandList.objects.get()
    carol.post(f"{at('bureau_lines:add')}?demand_list={row.pk}", LINE)
    carol.post(at("bureau_lines:edit", row.lines.get().pk), LINE | {"title": "y"})
    assert row.lines.get().title == "y"
    assert not ModelLogEntry.objects.exists()


@pytest.mark.parametrize(
    "path", ["/cms/", "/en/cms/", "/cms/desk/", "/cms/demand-lists/", "/cms/pages/", "/cms/reports/site-history/"]
)
def test_visitors_are_led_to_allauths_login_and_back(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].split("?")[0].endswith("/accounts/login/")
    assert f"next={path}" in response["Location"]


def test_wagtails_logins_are_allauths(client, world):
    assert client.get("/cms/login/?next=/cms/desk/")["Location"] == "/accounts/login/?next=/cms/desk/"
    assert client.get("/en/cms/login/")["Location"] == "/en/accounts/login/?next=/en/cms/"
    assert client.get("/cms/login/?next=https://evil.example/")["Location"] == "/accounts/login/?next=/cms/"
    assert client.get("/cms/password_reset/")["Location"] == at("account_reset_password")
    assert client.get("/cms/password_reset/confirm/x/y/")["Location"] == at("account_reset_password")
    assert "/accounts/login/" in client.get("/_util/login/")["Location"]
    response = client.post("/cms/logout/")
    assert (response.status_code, response["Location"]) == (307, reverse("account_logout"))
    for path in ("/cms/login/", "/en/cms/login/", "/_util/login/"):
        client.post(path, {"username": world.carol.email, "password": PASSWORD, "login": world.carol.email})
        assert "_auth_user_id" not in client.session, path


def test_reading_the_logout_address_signs_nobody_out(client_as):
    """Wagtail's own view drops the session cookie on GET as well."""
    carol = client_as("carol")
    assert carol.get("/cms/logout/")["Location"] == reverse("account_logout")
    assert carol.get("/cms/desk/").status_code == 200


@pytest.mark.parametrize("name", ["alice", "dave", "uma", "nora"])
def test_members_of_no_bureau_get_a_clear_refusal(client_as, name):
    for path in ("/cms/", "/cms/desk/", "/cms/demand-lists/", "/cms/pages/"):
        response = client_as(name).get(path)
        assert response.status_code == 403, path
        assert "主管部门" in text_of(response) or "bureau" in text_of(response)


@pytest.fixture
def editor(site, world):
    """A superuser: the portal's own editor, on no bureau's staff."""
    user = User.objects.create_superuser("editor@example.org", "x" * 12)
    client = Client()
    client.force_login(user, backend="accounts.backends.PasswordBackend")
    return client


def test_portal_editors_edit_pages_and_see_no_bureaus_lists(editor, rows, site):
    assert editor.get("/cms/").status_code == 200
    assert editor.get(f"/cms/pages/{site.pk}/edit/").status_code == 200
    assert editor.get("/cms/pages/").status_code in (200, 302)
    assert editor.get(at("bureau_lists:inspect", rows[0].pk)).status_code in (403, 404)
    assert SECRET not in text_of(editor.get("/cms/reports/site-history/"))


def test_every_admin_address_answers_a_portal_editor(editor, rows):
    for address in admin_addresses():
        if "failwhale" in address:
            continue  # Wagtail's own test of its error page
        response = editor.get(address)
        assert response.status_code < 500, address
        if response.status_code == 200:
            assert SECRET not in text_of(response), address


def test_an_editor_by_wagtails_group_is_an_editor(client_as, world, site):
    group = Group.objects.create(name="page editors")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    world.carol.groups.add(group)
    assert client_as("carol").get("/cms/").status_code == 200


def test_content_policy_is_the_sites_own_at_the_desk(client_as, editor, site):
    desk = client_as("carol").get(at("bureau_desk"))["Content-Security-Policy"]
    public = Client().get("/")["Content-Security-Policy"]
    assert "unsafe" not in desk + public
    assert "script-src 'self'" in desk
    pages = editor.get(f"/cms/pages/{site.pk}/edit/")["Content-Security-Policy"]
    assert "'unsafe-inline'" in pages


def test_editors_can_make_a_page_of_text(editor, site):
    parent = Page.objects.get(slug="guides", locale__language_code="zh-hans")
    url = f"/cms/pages/add/cms/articlepage/{parent.pk}/"
    assert editor.get(url).status_code == 200


def test_bulk_actions_reach_ones_own_lines_only(client_as, rows, world):
    """Also where another bureau's key is slipped in among one's own, or all of a filtered listing is named."""
    url = at("wagtail_bulk_action", "listings", "demandline", "change")
    line = rows[0].lines.get()
    for query in (f"?id={line.pk}", "?id=all", f"?id=all&demand_list={rows[0].pk}", "?id=x", "", "?id=999999999"):
        assert client_as("zhao").post(url + query, {"priority": "1"}).status_code == 404, query
    other = make_line(make_list(world.other_bureau, state="draft", region=world.regions["330000"]))
    client_as("zhao").post(f"{url}?id={other.pk}&id={line.pk}", {"priority": "1"})
    line.refresh_from_db()
    assert line.priority == 2
    assert client_as("carol").get(f"{url}?id={line.pk}").status_code == 200
    client_as("carol").post(f"{url}?id={line.pk}", {"priority": "1"})
    line.refresh_from_db()
    assert line.priority == 1
    assert (
        client_as("carol").get(at("wagtail_bulk_action", "wagtailcore", "page", "delete") + "?id=1").status_code == 404
    )
