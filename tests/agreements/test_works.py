"""After the signatures: make-ready, works, acceptance by the checklist, operation, notice, and what the clocks do."""

import datetime as dt
import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from PIL import Image

from accounts.errors import NotPermitted, Refused
from agreements import actions
from agreements.actions.acceptance import checklist_for
from agreements.models import Acceptance, Agreement, CaseClock, CaseDocument, ShareRequest
from listings.models import Reservation, Resource, Standard, StandardItem
from tests import papers as make_papers
from tests.world import make_line, make_list, make_resource

from .story import accept, ask, offer, sign, signed, zh

State = ShareRequest.State
PDF = make_papers.pdf(secret=True)


@pytest.fixture
def checklist(db):
    """The checklist for towers: two points that must pass, one that may be left out."""
    Standard.objects.filter(type="acceptance").delete()
    made = Standard.objects.create(
        code="T-ACC", version="1", type="acceptance", kinds=["tower"], title_zh="验收", source="test",
        valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip
    for number, text in enumerate(["挂高", "接地", "标牌"], start=1):
        StandardItem.objects.create(standard=made, number=number, text_zh=text, is_required=number < 3)
    return made


@pytest.fixture
def case(world, tower, checklist):
    """Signed by both sides."""
    return signed(world, tower).request


def fresh(case) -> ShareRequest:
    return ShareRequest.objects.get(pk=case.pk)


def step(world, case, verb, who="dave", note="", key=None, **data):
    return actions.take_step(
        request=case, verb=verb, by=world.user(who), membership=world.as_[who], note=note, data=data, key=key
    )


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()


def hand_in(world, case, sort="drawing", who="dave", data=PDF, name="as-built.pdf"):
    return actions.add_case_document(
        request=case, by=world.user(who), membership=world.as_[who], sort=sort, file=io.BytesIO(data), name=name,
        size_bytes=len(data),
    )  # fmt: skip


def papers(world, case):
    hand_in(world, case)
    hand_in(world, case, "photo", data=picture(), name="site.png")


def inspect(world, case, who="alice", note="", key=None, as_built=None, checklist=None, **results):
    """Every point passes but those named: r2="fail"."""
    checklist = checklist or checklist_for(case)
    said = {item.number: (results.get(f"r{item.number}", "pass"), "33.6 m") for item in checklist.items.all()}
    return actions.record_acceptance(
        request=case, by=world.user(who), membership=world.as_[who], checklist=checklist, results=said,
        as_built=as_built or {}, note=note, key=key or uuid4(),
    )  # fmt: skip


def operate(world, case):
    step(world, case, "call_acceptance")
    papers(world, case)
    inspect(world, case)
    return fresh(case)


def run_clock_out(case):
    past = timezone.now() - dt.timedelta(minutes=1)
    ShareRequest.objects.filter(pk=case.pk).update(due_at=past)
    assert actions.expire_due() == 1
    return fresh(case)


def test_the_whole_way_from_signature_to_operation(world, case, tower):
    assert (fresh(case).state, fresh(case).due_at is None) == (State.SIGNED, False)
    step(world, case, "begin_make_ready", "alice")
    planned = step(world, case, "plan_milestone", title="加固完成", on=timezone.localdate())
    number = planned.steps.get(verb="plan_milestone").number
    step(world, case, "reach_milestone", "alice", milestone=str(number))
    with pytest.raises(Refused, match="not reached yet"):
        step(world, case, "reach_milestone", milestone=str(number))
    step(world, case, "begin_works")
    step(world, case, "report_progress", note="天线已安装", percent=80)
    step(world, case, "call_acceptance")
    assert inspect(world, case, r2="fail", note="接地电阻偏大").verdict == "rectify"
    assert fresh(case).state == State.RECTIFYING
    step(world, case, "call_acceptance")
    papers(world, case)
    key = uuid4()
    passed = inspect(world, case, as_built={"load_used_pct": 71}, key=key)
    assert inspect(world, case, key=key) == passed  # twice is once
    done = fresh(case)
    assert (done.state, passed.number, passed.verdict) == (State.OPERATING, 2, "passed")
    agreement = Agreement.objects.get(request=case)
    assert agreement.price_from == agreement.offer.starts_on  # accepted before the agreed first day
    assert timezone.localdate(done.due_at) == agreement.ends_on == agreement.offer.ends_on
    resource = Resource.objects.get(pk=tower.pk)
    assert (resource.tower.load_used_pct, resource.facts_on) == (71, timezone.localdate())
    assert agreement.reference in resource.provenance["load_used_pct"]["source"]


def test_passing_takes_papers_and_every_point_that_must_pass(world, case):
    step(world, case, "call_acceptance")
    with pytest.raises(Refused, match="drawing, Photo"):
        inspect(world, case)
    papers(world, case)
    with pytest.raises(Refused, match="cannot be left out"):
        inspect(world, case, r1="na")
    with pytest.raises(Refused, match="no result"):
        inspect(world, case, r3="")
    with pytest.raises(Refused, match="to be rectified"):
        inspect(world, case, r1="fail")
    with pytest.raises(NotPermitted):
        inspect(world, case, who="dave")
    assert inspect(world, case, r3="na").verdict == "passed"


def test_only_the_checklist_in_force_counts(world, case, checklist):
    step(world, case, "call_acceptance")
    papers(world, case)
    newer = Standard.objects.create(
        code="T-ACC", version="2", type="acceptance", kinds=["tower"], title_zh="验收", source="test",
        valid_from=timezone.localdate(),
    )  # fmt: skip
    StandardItem.objects.create(standard=newer, number=1, text_zh="挂高")
    later = Standard.objects.create(
        code="T-ACC", version="3", type="acceptance", kinds=["tower"], title_zh="验收", source="test",
        valid_from=timezone.localdate() + dt.timedelta(days=1),
    )  # fmt: skip
    StandardItem.objects.create(standard=later, number=1, text_zh="挂高")
    assert checklist_for(case) == newer
    with pytest.raises(Refused, match="Another checklist"):
        inspect(world, case, checklist=checklist)
    assert inspect(world, case).checklist["version"] == "2"


def test_capacity_that_nobody_uses_lapses_and_is_free_again(world, case, tower):
    clock = CaseClock.objects.get(request=case, outcome="running")
    days = (timezone.localdate(clock.due_at) - timezone.localdate()).days
    assert (clock.rule, clock.days, days) == ("clock.use", 120, 120)
    assert actions.warn_due(now=clock.due_at - dt.timedelta(days=31)) == 0
    assert actions.warn_due(now=clock.due_at - dt.timedelta(days=29)) == 1
    assert run_clock_out(case).state == State.LAPSED
    assert Reservation.objects.get(request_item__request=case).state == "released"
    assert tower.pools.get().taken == 0
    agreement = Agreement.objects.get(request=case)
    assert (agreement.state, agreement.ended_on) == ("signed", timezone.localdate())


@pytest.mark.parametrize("verb", ["lapse_unused", "give_up"])
def test_a_line_whose_agreement_was_never_used_is_open_again(world, tower, verb):
    line = make_line(make_list(world.bureau, submitted_by=world.carol, published_by=world.chen), world.operator)
    case = signed(world, tower, line=line).request
    line.refresh_from_db()
    assert line.state == "fulfilled"
    if verb == "give_up":
        step(world, case, "give_up", note="站址取消")
    else:
        run_clock_out(case)
    line.refresh_from_db()
    assert line.state == "open"


def test_a_line_that_another_agreement_serves_stays_fulfilled(world, tower):
    line = make_line(make_list(world.bureau, submitted_by=world.carol, published_by=world.chen), world.operator)
    other = make_resource(world.power, name="Tower two")
    first, second = ask(world, tower, line=line), ask(world, other, line=line)
    for case in (first, second):
        agreement = accept(world, offer(world, case))
        sign(world, agreement, "alice")
        sign(world, agreement, "dora")
    run_clock_out(fresh(first))
    line.refresh_from_db()
    assert line.state == "fulfilled"


def test_late_works_are_reminded_of_and_stay(world, case):
    step(world, case, "begin_works")
    assert run_clock_out(case).state == State.BUILDING
    step(world, case, "call_acceptance")
    assert run_clock_out(case).state == State.INSPECTING
    inspect(world, case, r1="fail", note="挂高不符")
    assert run_clock_out(case).state == State.RECTIFYING
    verbs = list(case.steps.order_by("number").values_list("verb", flat=True))
    assert verbs[-4:] == ["call_acceptance", "remind_acceptance", "ask_rectify", "remind_rectify"]


def test_notice_is_given_taken_back_and_takes_effect(world, case, tower):
    operate(world, case)
    left = step(world, case, "give_notice", note="站址迁移")
    assert (timezone.localdate(left.due_at) - timezone.localdate()).days == 90
    with pytest.raises(Refused, match="side that gave notice"):
        step(world, case, "take_back_notice", "alice")
    assert step(world, case, "take_back_notice").state == State.OPERATING
    step(world, case, "give_notice", "alice", note="拆除")
    assert run_clock_out(case).state == State.FINISHED
    assert tower.pools.get().taken == 0


def test_the_period_ends_by_its_clock_and_a_notice_never_outlasts_it(world, case):
    operate(world, case)
    near = timezone.localdate() + dt.timedelta(days=10)
    Agreement.objects.filter(request=case).update(ends_on=near)
    assert timezone.localdate(step(world, case, "give_notice", note="迁移").due_at) == near
    step(world, case, "take_back_notice")
    assert run_clock_out(case).state == State.FINISHED


def test_the_applicant_may_give_up_before_operation_and_nobody_after(world, case):
    with pytest.raises(NotPermitted):
        step(world, case, "give_up", "alice", note="不需要")
    assert step(world, case, "give_up", note="不需要").state == State.FINISHED
    with pytest.raises(Refused, match="has ended"):
        step(world, case, "begin_works")


def test_papers_are_the_parties_own_looked_at_and_kept(world, case):
    document = hand_in(world, case)
    kept = make_papers.everything(document.file.read())
    assert make_papers.SECRET.encode() in make_papers.everything(PDF)
    assert make_papers.SECRET.encode() not in kept
    with pytest.raises(Refused, match="attached already"):
        hand_in(world, case)
    with pytest.raises(Refused, match="something else"):
        hand_in(world, case, data=b"MZ....", name="x.pdf")
    with pytest.raises(NotPermitted):
        hand_in(world, case, who="eve", data=PDF + b" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseDocument.objects.filter(pk=document.pk).update(title="other")
    document.file.storage.delete(document.file.name)


@pytest.mark.parametrize("sql", [
    "UPDATE agreements_sharerequest SET state = 'negotiating', closed_at = NULL WHERE id = %s",
    "UPDATE agreements_sharerequest SET due_at = NULL WHERE id = %s",
    "UPDATE agreements_sharerequest SET state = 'operating', closed_at = NULL WHERE id = %s",
])  # fmt: skip
def test_database_keeps_what_is_signed(case, sql):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [case.pk])


def test_database_keeps_inspections(world, case):
    step(world, case, "call_acceptance")
    made = inspect(world, case, r1="fail", note="挂高不符")
    with pytest.raises(IntegrityError), transaction.atomic():
        Acceptance.objects.filter(pk=made.pk).update(verdict="passed")


def test_pages_of_the_works(world, case, client):
    case_url, url = zh("request_detail", case.pk), zh("acceptance", case.pk)
    client.force_login(world.user("dave"))
    step(world, case, "call_acceptance")
    paper = SimpleUploadedFile("a.pdf", PDF, content_type="application/pdf")
    client.post(zh("case_document_add", case.pk), {"sort": "drawing", "file": paper, "title": "竣工图"})
    assert "竣工图" in client.get(case_url).content.decode()
    hand_in(world, case, "photo", data=picture(), name="site.png")
    got = client.get(zh("case_document", case.documents.first().pk))
    assert (got["X-Content-Type-Options"], got["Content-Disposition"][:10]) == ("nosniff", "attachment")
    assert client.post(url, {}).status_code == 403
    calendar = client.get(zh("clock_calendar")).content.decode()
    assert case.code in calendar
    client.force_login(world.user("alice"))
    page = client.get(url).content.decode()
    assert "T-ACC" in page
    form = {"key": uuid4(), "checklist": checklist_for(case).pk, "r_1": "pass", "r_2": "pass", "note": ""}
    assert client.post(url, form).status_code == 422  # point 3 has no result
    assert client.post(url, {**form, "r_3": "pass", "m_1": "33.6 m"}).status_code == 302
    assert fresh(case).state == State.OPERATING
    assert "33.6 m" in client.get(url).content.decode()
    client.force_login(world.user("eve"))
    assert client.get(url).status_code == client.get(zh("case_document", case.documents.first().pk)).status_code == 404
