"""The bureau's desk through the browser's requests: make a list, write lines, review, publish, withdraw."""

import pytest
from django.contrib.gis.geos import Point
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation
from accounts.models.organisations import Role
from listings.actions import demand
from listings.models import DemandLine, DemandList
from tests.cms.addresses import at
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db

HEAD = {
    "title_zh": "广州需求",
    "title_en": "",
    "region": "440100",
    "batch": "2026H2",
    "summary_zh": "",
    "summary_en": "",
}
LINE = {
    "title": "天河基站", "applicant_text": "某运营商", "applicant_code": "", "kind": "tower", "quantity": "2",
    "place": "113.33, 23.13", "months": "60", "priority": "2", "ceiling_yuan": "1250.50", "sectors": ["power"],
    "needed_by": "2027-01-31",
}  # fmt: skip


@pytest.fixture
def draft(world):
    return make_list(world.bureau, state="draft", region=world.regions["440100"])


def act(name, pk):
    return at(f"bureau_lists:{name}", pk)


def test_the_whole_way_through_the_desk(client_as, world, client):
    carol, chen = client_as("carol"), client_as("chen")
    response = carol.post(at("bureau_lists:add"), HEAD)
    row = DemandList.objects.get()
    assert response["Location"] == act("inspect", row.pk)
    assert row.reference == "440100-2026h2-1"

    response = carol.post(f"{at('bureau_lines:add')}?demand_list={row.pk}", LINE)
    assert response.status_code == 302, response.context and response.context["form"].errors
    line = row.lines.get()
    assert (line.number, line.ceiling_fen_per_year, line.sectors) == (1, 125_050, ["power"])
    assert (line.applicant, line.applicant_name) == (None, "某运营商")

    page = carol.post(at("bureau_lists:move", row.pk, "submit"))
    assert page["Location"] == act("inspect", row.pk)
    assert carol.post(at("bureau_lists:move", row.pk, "publish")).status_code == 403
    confirmation = chen.get(at("bureau_lists:move", row.pk, "publish"))
    assert "15" in confirmation.context["consequence"]
    row.refresh_from_db()
    assert row.state == "submitted"  # a GET does nothing
    chen.post(at("bureau_lists:move", row.pk, "publish"))
    row.refresh_from_db()
    assert (row.state, row.published_by) == ("notice", world.chen)


def test_desk_says_what_awaits_whom(client_as, world):
    make_list(world.bureau, state="draft", title_zh="草稿一")
    make_list(world.bureau, state="submitted", submitted_by=world.carol, title_zh="待审一")
    page = client_as("carol").get(at("bureau_desk"))
    assert [item["list"].title_zh for item in page.context["waiting"]] == ["草稿一"]
    page = client_as("chen").get(at("bureau_desk"))
    assert [item["list"].title_zh for item in page.context["waiting"]] == ["待审一"]
    assert page.context["states"][1][2] == 1


def test_desk_counts_organisations_awaiting_verification(client_as, world):
    now = timezone.now()
    Organisation.objects.filter(pk=world.unverified.pk).update(
        verification="submitted", submitted_at=now, verification_due_at=now
    )
    assert client_as("carol").get(at("bureau_desk")).context["queue_count"] == 1
    assert client_as("zhao").get(at("bureau_desk")).context["queue_count"] == 0


def test_the_desk_leads_back_to_the_portal_also_from_an_address_that_is_not_there(client_as):
    chen = client_as("chen")
    assert f'"{at("my_work")}"' in chen.get(at("bureau_desk")).content.decode()
    lost = chen.get(at("bureau_lines:inspect", 999_999))
    assert lost.status_code == 404
    assert "gj-lost" in lost.content.decode()  # the portal's page, with its bar and its ways on


def test_only_who_may_withdraw_a_line_is_offered_to_do_so_by_a_decision(client_as, world):
    row = make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    objection = demand.make_objection(demand_list=row, membership=world.as_["eve"], text="x", line=make_line(row))
    address = at("bureau_objection_decide", objection.pk)
    assert 'name="withdraw"' in client_as("carol").get(address).content.decode()
    assert 'name="withdraw"' not in client_as("chen").get(address).content.decode()  # a publisher decides all the same


def test_an_empty_desk_tells_the_next_step(client_as):
    assert (
        "第一" in client_as("carol").get("/cms/desk/").content.decode()
        or b"first one" in client_as("carol").get("/en/cms/desk/").content
    )


def test_a_line_form_says_what_is_wrong_with_the_place(client_as, draft):
    url = f"{at('bureau_lines:add')}?demand_list={draft.pk}"
    for place, words in (("120.15, 30.28", "广州"), ("23.13, 113.33", ""), ("nonsense", ""), ("", "")):
        page = client_as("carol").post(url, LINE | {"place": place})
        assert page.status_code == 200
        assert words in " ".join(page.context["form"].errors["place"]), place
    assert not draft.lines.exists()


def test_a_known_applicant_is_found_by_code_or_name(client_as, draft, world):
    url = f"{at('bureau_lines:add')}?demand_list={draft.pk}"
    for text in (world.operator.uscc, world.operator.name_zh, world.operator.name_en.upper()):
        client_as("carol").post(url, LINE | {"applicant_text": text})
    assert set(draft.lines.values_list("applicant", flat=True)) == {world.operator.pk}
    assert draft.lines.count() == 3


def test_edit_a_line_and_a_stale_form_keeps_what_was_typed(client_as, draft, world):
    line = make_line(draft)
    carol = client_as("carol")
    url = at("bureau_lines:edit", line.pk)
    seen_at = carol.get(url).context["form"]["seen_at"].value()
    assert carol.post(url, LINE | {"seen_at": seen_at, "title": "第一版"}).status_code == 302
    page = carol.post(url, LINE | {"seen_at": seen_at, "title": "第二版"})
    assert page.status_code == 200
    assert page.context["form"].non_field_errors()
    assert "第二版" in page.content.decode()
    line.refresh_from_db()
    assert line.title == "第一版"


def test_add_another_returns_to_an_empty_form(client_as, draft):
    url = f"{at('bureau_lines:add')}?demand_list={draft.pk}"
    assert client_as("carol").post(url, LINE | {"add-another": "1"})["Location"] == url


def test_delete_and_withdraw_ask_first(client_as, draft, world):
    carol = client_as("carol")
    line = make_line(draft)
    url = at("bureau_lines:delete", line.pk)
    assert carol.get(url).status_code == 200
    assert DemandLine.objects.filter(pk=line.pk).exists()
    carol.post(url)
    assert not DemandLine.objects.filter(pk=line.pk).exists()

    public = make_line(make_list(world.bureau, submitted_by=world.carol, published_by=world.chen))
    url = at("bureau_lines:withdraw", public.pk)
    assert carol.post(url, {"reason": ""}).status_code == 422
    carol.post(url, {"reason": "已自建"})
    public.refresh_from_db()
    assert public.state == "withdrawn"


def test_too_late_steps_lead_back_with_a_sentence(client_as, world):
    in_force = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    carol = client_as("carol")
    for url in (
        act("edit", in_force.pk),
        at("bureau_lists:move", in_force.pk, "submit"),
        f"{at('bureau_lines:add')}?demand_list={in_force.pk}",
    ):
        for response in (carol.get(url), carol.post(url)):
            assert response.status_code == 302
            assert response["Location"] == act("inspect", in_force.pk)
    assert "bring_into_force" not in carol.get(act("inspect", in_force.pk)).content.decode()
    assert carol.post(at("bureau_lists:move", in_force.pk, "bring_into_force")).status_code == 404


def test_a_publisher_without_the_curators_role_cannot_write(client_as, draft):
    chen = client_as("chen")
    assert chen.get(at("bureau_lists:add")).status_code == 403
    assert chen.post(at("bureau_lists:add"), HEAD).status_code == 403
    assert chen.get(act("edit", draft.pk)).status_code == 403
    assert chen.post(f"{at('bureau_lines:add')}?demand_list={draft.pk}", LINE).status_code == 403
    assert chen.get(act("inspect", draft.pk)).status_code == 200


def test_regions_offered_are_those_of_the_jurisdiction(client_as):
    page = client_as("carol").get(at("bureau_lists:add"))
    offered = {region.pk for region in page.context["form"].fields["region"].queryset}
    assert offered == {"440000", "440100", "440106", "440300"}
    assert client_as("carol").post(at("bureau_lists:add"), HEAD | {"region": "330100"}).status_code == 200
    assert not DemandList.objects.exists()


def test_the_line_listing_filters_by_list_kind_state_and_text(client_as, draft, world):
    make_line(draft, title="天河")
    make_line(draft, title="白云", kind="duct")
    make_line(make_list(world.bureau, state="draft"), title="别的清单")
    carol = client_as("carol")

    def shown(**query):
        page = carol.get(at("bureau_lines:index"), query)
        return sorted(line.title for line in page.context["object_list"])

    assert shown() == sorted(["天河", "白云", "别的清单"])
    assert shown(demand_list=draft.pk) == sorted(["天河", "白云"])
    assert shown(demand_list=draft.pk, kind="duct") == ["白云"]
    assert shown(q="天河") == ["天河"]
    assert shown(q="2", demand_list=draft.pk) == ["白云"]


def test_listings_cost_the_same_with_many_rows(client_as, draft, world):
    carol = client_as("carol")

    def fill(first, last):
        DemandLine.objects.bulk_create(
            DemandLine(
                demand_list=draft, number=n, title=f"第{n}处", kind="tower", quantity=1,
                place=Point(113.3, 23.1, srid=4326), applicant=world.operator,
            )
            for n in range(first, last)
        )  # fmt: skip

    def count(url) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert carol.get(url).status_code == 200
        return len(queries)

    urls = [
        at("bureau_lines:index") + f"?demand_list={draft.pk}",
        at("bureau_lists:index"),
        at("bureau_desk"),
        act("inspect", draft.pk),
    ]
    fill(1, 11)
    for url in urls:
        carol.get(url)
    few = [count(url) for url in urls]
    fill(11, 1_001)
    make_list(world.bureau, state="in_force", submitted_by=world.carol, published_by=world.chen)
    many = [count(url) for url in urls]
    assert many == few
    assert max(many) <= 20


def test_download_of_a_draft_is_the_bureaus_alone(client_as, draft):
    make_line(draft, title="天河")
    url = at("bureau_lists:download", draft.pk)
    assert "天河" in b"".join(client_as("carol").get(url).streaming_content).decode()
    assert client_as("zhao").get(url).status_code == 404


def test_a_second_organisation_is_no_way_in(client_as, world, draft):
    """Carol also works for the operator: acting for it, the desk is closed to her."""
    from accounts.middleware import SESSION_KEY
    from accounts.models import Membership

    Membership.objects.create(user=world.carol, organisation=world.operator, roles=[Role.ADMIN])
    carol = client_as("carol")
    session = carol.session
    session[SESSION_KEY] = world.operator.pk
    session.save()
    assert carol.get(at("bureau_desk")).status_code == 403
    assert carol.get(act("inspect", draft.pk)).status_code in (403, 404)
    assert carol.get(at("bureau_lists:index")).status_code == 403
