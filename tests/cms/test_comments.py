"""Comments at the desk: who writes, reads and settles them, what the pages tell of them, and that none is public."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions import demand
from listings.models import CoSigner, DeskComment
from messaging.models import Notification
from tests.cms.addresses import at
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(world):
    made = make_list(world.bureau, state="submitted", submitted_by=world.carol)
    make_line(made, title="天河站")
    return made


def written(row, world, name="chen", text="坐标有误，请核实", line=None):
    return demand.comment(demand_list=row, membership=world.as_[name], text=text, line=line)


def test_the_second_person_comments_and_the_curator_settles(row, world, client_as):
    chen, line = client_as("chen"), row.lines.get()
    page = chen.post(at("bureau_lines:comment", line.pk), {"text": "坐标有误，请核实"}, follow=True)
    assert "坐标有误，请核实" in page.content.decode()
    comment = DeskComment.objects.get()
    assert (comment.line, comment.organisation, comment.written_by) == (line, world.bureau, world.chen)
    carol = client_as("carol")
    assert "1 comment to see to" in carol.get("/en" + at("bureau_desk")).content.decode()
    assert Notification.objects.filter(user=world.carol, code="list.comment").count() == 1
    assert not Notification.objects.filter(user=world.chen, code="list.comment").exists()
    listing = at("bureau_lines:index") + f"?demand_list={row.pk}&commented="
    assert "天河站" in carol.get(listing + "true").content.decode()
    assert "天河站" not in carol.get(listing + "false").content.decode()
    publish = "/en" + at("bureau_lists:move", row.pk, "publish")
    assert "not settled yet" in client_as("chen").get(publish).content.decode()
    answer = client_as("carol").post(at("bureau_comment_settle", comment.pk))
    assert (answer.status_code, answer.url) == (302, at("bureau_lists:inspect", row.pk) + "#comments")
    comment.refresh_from_db()
    assert comment.settled_by == world.carol
    assert "not settled yet" not in client_as("chen").get(publish).content.decode()
    verbs = list(Event.objects.about(line).order_by("pk").values_list("verb", flat=True))
    assert verbs == ["line.comment", "line.settle_comment"]


def test_the_list_is_commented_on_its_own_page(row, world, client_as):
    chen = client_as("chen")
    answer = chen.post(at("bureau_lists:comment", row.pk), {"text": "请补充附件"}, follow=True)
    assert "请补充附件" in answer.content.decode()
    assert chen.post(at("bureau_lists:comment", row.pk), {"text": "  "}).status_code == 422
    assert chen.get(at("bureau_lists:comment", row.pk)).status_code == 200
    assert DeskComment.objects.get().line is None


def test_co_signers_take_part_and_strangers_do_not(row, world, client_as):
    assert client_as("zhao").post(at("bureau_lists:comment", row.pk), {"text": "x"}).status_code == 404
    with pytest.raises(NotPermitted):
        written(row, world, "zhao")
    with pytest.raises(NotPermitted):
        written(row, world, "dave")
    CoSigner.objects.create(demand_list=row, bureau=world.zhao.memberships.get().organisation)
    comment = written(row, world, "zhao", text="跨省段请再核")
    assert Notification.objects.filter(user=world.carol, code="list.comment").exists()
    assert "跨省段请再核" in client_as("zhao").get(at("bureau_lists:inspect", row.pk)).content.decode()
    demand.settle_comment(comment=comment, membership=world.as_["carol"])
    with pytest.raises(Refused) as refusal:
        demand.settle_comment(comment=comment, membership=world.as_["zhao"])
    assert refusal.value.code == "settled"


def test_no_comment_without_words_on_another_lists_line_or_after_the_end(row, world):
    other = make_list(world.bureau, state="closed", submitted_by=world.carol, published_by=world.chen)
    for given, code in (({"text": " "}, "empty"), ({"line": make_line(other)}, "other_list")):
        with pytest.raises(Refused) as refusal:
            written(row, world, **given)
        assert refusal.value.code == code
    with pytest.raises(Refused) as refusal:
        written(other, world)
    assert refusal.value.code == "wrong_state"


def test_a_comment_is_never_public(world, site, client, client_as):
    row = make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    line = make_line(row, world.operator)
    written(row, world, text="绝不公开甲")
    written(row, world, text="绝不公开乙", line=line)
    for reader in (client, client_as("dave")):
        for rest in ("", "1/", "csv/", "geojson/", "changes/"):
            answer = reader.get(f"/lists/{row.reference}/{rest}")
            data = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code == 200
            assert "绝不公开" not in data.decode()


@pytest.mark.parametrize("assignment", ["settled_at = now()", "text = ''"])
def test_the_database_refuses_half_a_settlement_and_empty_words(row, world, assignment):
    comment = written(row, world)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE listings_deskcomment SET {assignment} WHERE id = %s", [comment.pk])
