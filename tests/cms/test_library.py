"""Library, news, search over all, feeds, calendar files, wordings, stand-ins for missing translations."""

import datetime as dt
import xml.etree.ElementTree as ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, ngettext, override, pgettext

from cms import wordings
from cms.models import NewsPage, NoticePage, Wording
from cms.urls import list_url
from listings.actions import demand
from listings.models import DemandList, Standard, StandardItem
from tests import world as make
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db


def body(response) -> str:
    return response.content.decode()


@pytest.fixture
def public_list(site, world):
    row = make_list(
        world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen, title_zh="珠江需求清单",
        notice_from=timezone.now(), notice_days=15,
    )  # fmt: skip
    make_line(row, world.operator, title="琶洲会展中心基站")
    return row


def test_the_library_filters_by_sort_kind_and_validity(site, client):
    old = Standard.objects.create(
        code="GJ-X", version="1", type="design", kinds=["tower"], title_zh="旧规范", source="x",
        valid_from="2020-01-01", valid_until="2021-01-01",
    )  # fmt: skip
    Standard.objects.create(
        code="GJ-X", version="2", type="design", kinds=["tower"], title_zh="新规范", source="x", supersedes=old,
        valid_from="2021-01-02",
    )  # fmt: skip
    page = body(client.get("/standards/library/"))
    assert "新规范" in page
    assert "旧规范" not in page
    assert "旧规范" in body(client.get("/standards/library/", {"past": "on"}))
    assert "新规范" not in body(client.get("/standards/library/", {"type": "acceptance"}))
    assert "新规范" not in body(client.get("/standards/library/", {"kind": "room"}))
    assert "新规范" in body(client.get(f"/standards/library/{old.pk}/"))  # the next version is named
    assert client.get("/standards/library/99999/").status_code == 404


def test_acceptance_goes_by_the_checklists_that_are_valid(site):
    found = Standard.objects.filter(type="acceptance").valid_on().for_kind("tower")
    assert [item.number for item in StandardItem.objects.filter(standard=found.get()).order_by("number")][:3] == [
        1,
        2,
        3,
    ]
    with pytest.raises(ValidationError):
        Standard(
            code="x", version="1", type="design", title_zh="x", source="x", valid_from=dt.date(2026, 2, 1),
            valid_until=dt.date(2026, 1, 1),
        ).full_clean()  # fmt: skip


def test_news_shows_its_blocks_and_its_sort(site, client):
    assert "能共享不新建" in body(client.get("/news/letter-165/"))
    assert "letter-165" in body(client.get("/news/?sort=policy"))
    assert "letter-165" not in body(client.get("/news/?sort=news"))
    assert client.get("/en/news/letter-165/").status_code == 200


def test_a_page_without_translation_stands_in_with_a_note(site, client):
    parent = NewsPage.objects.get(locale__language_code="zh-hans")
    page = parent.add_child(instance=NoticePage(title="只有中文", slug="only-zh", on=dt.date(2026, 11, 1)))
    page.copy_for_translation(NewsPage.objects.get(locale__language_code="en").locale, alias=True)
    english = client.get("/en/news/only-zh/")
    assert english.status_code == 200
    assert "只有中文" in body(english)
    assert "not been translated yet" in body(english)
    assert "尚未翻译" not in body(client.get("/news/only-zh/"))


def test_search_finds_every_sort_with_two_signs_and_hides_what_is_not_public(public_list, client, world):
    make_line(make_list(world.bureau, state="draft", title_zh="机密草稿"), title="机密草稿点")
    make.make_resource(world.power, name="琶洲铁塔")
    page = body(client.get("/search/", {"q": "琶洲"}))
    assert "琶洲会展中心基站" in page
    assert "琶洲铁塔" in page
    assert "珠江需求清单" in body(client.get("/search/", {"q": "珠江"}))
    assert "铁塔加挂" in body(client.get("/search/", {"q": "铁塔加挂"}))
    assert "/map/?kind=tower" in body(client.get("/search/", {"q": "铁塔"}))  # no resource need say so in its name
    assert "明珠供电" in body(client.get("/search/", {"q": "明珠"}))
    assert "草稿" not in body(client.get("/search/", {"q": "机密"})).replace('value="机密', "")
    for odd in ("", "%", "\x00", "x" * 500, "'--"):
        assert client.get("/search/", {"q": odd}).status_code == 200


def test_the_front_page_shows_the_latest_news_of_its_language_and_searches_over_all(site, client):
    page = body(client.get("/"))
    notice = NoticePage.objects.get(slug="letter-165", locale__language_code="zh-hans")
    assert notice.title in page
    assert notice.get_url() in page
    assert 'action="/search/"' in page.split("</header>")[0]
    other = NoticePage.objects.get(slug="letter-165", locale__language_code="en")
    assert other.title not in page
    assert other.title in body(client.get("/en/"))
    NoticePage.objects.update(live=False)
    assert notice.title not in body(client.get("/"))


def test_an_organisations_page_shows_what_it_may(public_list, client, client_as, world):
    make.make_resource(world.power, name="明塔")
    make.make_resource(world.power, name="草稿塔", state="draft")
    make_line(public_list, world.operator, title="运营商的需求", number=90)
    make_line(make_list(world.bureau, state="draft"), world.operator, title="未公布需求")
    page = body(client.get(f"/organisations/{world.power.pk}/"))
    assert "明塔" in page
    assert "草稿塔" not in page
    page = body(client_as("eve").get(f"/organisations/{world.operator.pk}/"))
    assert "运营商的需求" in page
    assert "未公布需求" not in page
    make_list(world.bureau, state="draft", title_zh="未公布清单")
    page = body(client.get(f"/organisations/{world.bureau.pk}/"))
    assert "珠江需求清单" in page
    assert "未公布清单" not in page


def test_feeds_are_atom_and_name_public_lists_only(public_list, client, world):
    make_list(world.bureau, state="draft", title_zh="草稿清单")
    text = body(client.get("/feeds/lists.atom"))
    ElementTree.fromstring(text)
    assert "珠江需求清单" in text
    assert "草稿清单" not in text
    assert "letter-165" in body(client.get("/feeds/news.atom"))


def test_calendar_files_carry_the_clock(public_list, client):
    for url in (list_url(public_list, "clock/"), "/calendar.ics"):
        response = client.get(url)
        assert response["Content-Type"].startswith("text/calendar")
        lines = body(response).split("\r\n")
        ends = public_list.notice_ends_at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        assert f"DTSTART:{ends}" in lines
        assert all(len(line.encode()) <= 75 for line in lines)
    assert client.get("/lists/none-such/clock/").status_code == 404


def test_the_public_page_tells_the_clock_the_decisions_and_what_changed(public_list, client, client_as, world):
    page = client.get(list_url(public_list))
    assert page.context["days_left"] > 0
    objection = demand.make_objection(demand_list=public_list, membership=world.as_["eve"], text="重复了")
    demand.decide_objection(
        objection=objection, membership=world.as_["carol"], outcome="dismissed", decision="并不重复"
    )
    page = body(client.get(list_url(public_list)))
    assert "并不重复" in page
    assert "重复了" not in page  # the objector and its words are not the public's
    assert "重复了" in body(client_as("eve").get(list_url(public_list)))
    line = public_list.lines.get()
    correction = demand.propose_correction(line=line, membership=world.as_["carol"], reason="写错数量", quantity=7)
    assert "写错数量" not in body(client.get(list_url(public_list, "changes/")))
    demand.apply_correction(correction=correction, membership=world.as_["chen"])
    assert "写错数量" in body(client.get(list_url(public_list, "changes/")))


def test_a_long_lists_map_comes_as_tiles(public_list, client, monkeypatch):
    monkeypatch.setattr("listings.demand_tiles.TILES_FROM_LINES", 1)
    DemandList.objects.filter(pk=public_list.pk).update(reference="list-2110")  # a 0 before the tile's own numbers
    public_list.refresh_from_db()
    page = client.get(list_url(public_list), {"kind": "tower"})
    assert page.context["tiles_url"].endswith("/list-2110/{z}/{x}/{y}.pbf?kind=tower")
    assert page.context["bounds"].count(",") == 3
    tile = client.get(f"/tiles/lists/{public_list.reference}/0/0/0.pbf")
    assert tile.status_code == 200
    assert b"points" in tile.content
    assert client.get(f"/tiles/lists/{public_list.reference}/0/0/0.pbf?kind=duct").content == b""
    assert client.get(f"/tiles/lists/{public_list.reference}/2/9/9.pbf").status_code == 404
    monkeypatch.setattr("listings.demand_tiles.CROWDED", 0)
    assert b"groups" in client.get(f"/tiles/lists/{public_list.reference}/0/0/0.pbf").content


# --- Wordings ---------------------------------------------------------------------------------


@pytest.fixture
def _words_back():
    yield
    Wording.objects.all().delete()
    wordings.apply()


@pytest.mark.usefixtures("_words_back")
def test_an_editors_wording_takes_the_place_of_the_products_text_and_goes_again(site, client, settings):
    Wording.objects.create(language="zh-hans", source="Demand lists", text="共享需求一览")
    wordings.apply()
    assert "共享需求一览" in body(client.get("/news/"))
    assert "共享需求一览" not in body(client.get("/en/news/"))
    Wording.objects.all().delete()
    wordings.apply()
    assert "共享需求一览" not in body(client.get("/news/"))
    with override("zh-hans"):
        assert gettext("Demand lists") == "需求清单"


@pytest.mark.usefixtures("_words_back")
def test_wordings_reach_plurals_and_texts_with_a_context(site):
    one, many = "%(n)d line deleted.", "%(n)d lines deleted."
    Wording.objects.create(language="en", source=many, text="%(n)d lines are gone.")
    Wording.objects.create(language="zh-hans", source=many, text="已删 %(n)d 条。")
    Wording.objects.create(language="zh-hans", source="Compare", text="对照")
    wordings.apply()
    with override("en"):
        assert [ngettext(one, many, n) for n in (1, 2)] == [one, "%(n)d lines are gone."]
    with override("zh-hans"):
        assert {ngettext(one, many, n) for n in (1, 2)} == {"已删 %(n)d 条。"}
        assert pgettext("verb", "Compare") == "对照"
    Wording.objects.all().delete()
    wordings.apply()
    with override("en"):
        assert ngettext(one, many, 2) == many
    with override("zh-hans"):
        assert ngettext(one, many, 2) not in (many, "已删 %(n)d 条。")
        assert pgettext("verb", "Compare") not in ("Compare", "对照")


@pytest.mark.parametrize(
    ("source", "text", "is_right"),
    [
        ("%(n)s lines", "共 %(n)s 条", True),
        ("%(n)s lines", "若干条", False),
        ("Search", "找 <script>x</script>", False),
        ("<b>%(n)s</b> left", "剩 <b>%(n)s</b>", True),
    ],
)
def test_a_wording_keeps_placeholders_and_adds_no_tags(source, text, is_right):
    assert (wordings.problem(source, text) is None) == is_right
    if not is_right:
        with pytest.raises(ValidationError):
            Wording(language="en", source=source, text=text).full_clean()
