"""The pages through the HTTP client: what is shown to whom, what is refused, how many queries it takes."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from accounts.rules import rule
from agreements.models import Agreement, CaseStep, ShareRequest
from listings.models import Kind
from messaging.actions import post, thread_about
from tests.world import PASSWORD, make_line, make_list, make_resource

from .story import accept, agree, ask, en, offer, sign, signed, someday, zh


def form_of(resource, quantity=1, **more):
    values = {f"q_{pool.pk}": quantity for pool in resource.pools.order_by("pk")}
    return {
        "starts_on": someday().isoformat(), "months": 24, "purpose": "5G coverage", "key": str(uuid4()),
        **values, **more,
    }  # fmt: skip


def text(answer) -> str:
    return answer.content.decode()


# --- Asking -------------------------------------------------------------------------------------


def test_form_shows_what_is_free_the_price_and_what_a_hold_means(client_as, tower):
    page = text(client_as("dave").get(zh("request_new", tower.pk), headers={"accept-language": "en"}))
    assert 'max="3"' in page
    pool = tower.pools.get()
    worked = client_as("dave").get(zh("request_new", tower.pk), {f"q_{pool.pk}": "2"}, headers={"hx-request": "true"})
    assert "24000" in text(worked).replace(",", "")
    assert "<form" not in text(worked)


@pytest.mark.parametrize("typed", ["abc", "NaN", "-3", "1e99", ""])
def test_worked_price_bears_whatever_is_typed(client_as, tower, typed):
    url = zh("request_new", tower.pk)
    answer = client_as("dave").get(url, {f"q_{tower.pools.get().pk}": typed}, headers={"hx-request": "true"})
    assert answer.status_code == 200


def test_form_asks_and_leads_to_the_case(client_as, tower):
    answer = client_as("dave").post(zh("request_new", tower.pk), form_of(tower, 2))
    case = ShareRequest.objects.get()
    assert answer["Location"] == zh("request_detail", case.pk)
    assert tower.pools.get().free == 1


def test_form_sent_twice_is_one_request(client_as, tower):
    dave, values = client_as("dave"), form_of(tower)
    first = dave.post(zh("request_new", tower.pk), values)
    second = dave.post(zh("request_new", tower.pk), values)
    assert first["Location"] == second["Location"]


def test_form_says_what_is_wrong_and_keeps_what_was_typed(client_as, tower):
    ask_for = form_of(tower, 9, purpose="My purpose")
    answer = client_as("dave").post(en("request_new", tower.pk), ask_for)
    assert answer.status_code == 422
    assert "My purpose" in text(answer)
    assert "3 positions free" in text(answer)
    assert not ShareRequest.objects.exists()


@pytest.mark.parametrize(("who", "code"), [("dora", 403), ("carol", 403), ("uma", 302), ("alice", 403), ("nora", 403)])
def test_who_does_not_get_the_form(client_as, tower, who, code):
    if who == "alice":
        code = 302  # one's own resource: led back to it
    assert client_as(who).get(zh("request_new", tower.pk)).status_code == code


def test_form_of_an_invisible_resource_is_404(client_as, world):
    hidden = make_resource(world.power, disclosure="existence")
    assert client_as("dave").get(zh("request_new", hidden.pk)).status_code == 404


def test_line_fills_the_form(client_as, world, room):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.operator, kind=Kind.ROOM, quantity=20, power_kw=Decimal("3.5"), months=36)
    page = text(client_as("dave").get(zh("request_new", room.pk), {"line": line.pk}))
    assert 'value="20"' in page
    assert 'value="3.5"' in page
    assert 'value="36"' in page
    kw = {f"q_{room.pools.get(unit='kw').pk}": 4}
    answer = client_as("dave").post(zh("request_new", room.pk), form_of(room, 20, line=line.pk, months=36, **kw))
    assert answer.status_code == 302
    assert ShareRequest.objects.get().line == line


def test_foreign_line_does_not_fill_or_pass(client_as, world, tower):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.evil, title="Secret need")
    assert "Secret need" not in text(client_as("dave").get(zh("request_new", tower.pk), {"line": line.pk}))
    answer = client_as("dave").post(zh("request_new", tower.pk), form_of(tower, line=line.pk))
    assert answer.status_code == 422


# --- The case -----------------------------------------------------------------------------------


def test_case_page_shows_conversation_versions_and_differences(client_as, world, tower):
    case = ask(world, tower)
    offer(world, case)
    offer(world, case, who="dave", price_fen=900_000)
    dave = world.as_["dave"]
    post(thread=thread_about(case), by=world.dave, membership=dave, body="Could it be 9,000?", client_uuid=uuid4())
    page = text(client_as("alice").get(en("request_detail", case.pk)))
    assert "Could it be 9,000?" in page
    assert "<del>" in page
    assert zh("offer_accept", case.offers.get(number=2).pk) in page


def test_buttons_are_those_of_the_turn_and_the_rest_says_why(client_as, world, tower):
    case = ask(world, tower)
    url = en("request_detail", case.pk)
    owner, applicant = text(client_as("alice").get(url)), text(client_as("dave").get(url))
    assert "It is your turn" in owner
    assert zh("request_refuse", case.pk) in owner
    assert zh("request_withdraw", case.pk) in applicant
    assert zh("offer_make", case.pk) not in applicant
    assert "The owner makes the first offer." in applicant


def test_offer_form_makes_the_offer_in_fen(client_as, world, tower):
    case = ask(world, tower, 2)
    values = {
        f"q_{tower.pools.get().pk}": 2, "price_yuan": "12345.67", "starts_on": someday().isoformat(), "months": 24,
        "note": "Paid yearly", "answers": 0,
    }  # fmt: skip
    answer = client_as("alice").post(zh("offer_make", case.pk), values)
    assert answer.status_code == 302
    assert case.offers.get().price_fen_per_year == 1_234_567


def test_offer_form_sent_back_keeps_what_was_typed(client_as, world, tower):
    case = ask(world, tower)
    values = {
        f"q_{tower.pools.get().pk}": 3, "price_yuan": "777", "starts_on": someday().isoformat(), "months": 24,
        "answers": 0,
    }  # fmt: skip
    answer = client_as("alice").post(en("offer_make", case.pk), values)
    assert answer.status_code == 422
    assert 'value="777"' in text(answer)
    assert "More takes a new request" in text(answer)


def test_refuse_and_withdraw_forms(client_as, world, tower):
    first, second = ask(world, tower), ask(world, tower)
    url = zh("request_refuse", first.pk)
    assert client_as("alice").post(url, {"code": "own_need", "note": ""}).status_code == 422
    shown = {"code": "own_need", "note": "Extension", "needed_from": someday(400)}
    assert client_as("alice").post(url, shown | {"needed_from": ""}).status_code == 422
    assert client_as("alice").post(url, shown).status_code == 302
    url = zh("request_withdraw", second.pk)
    assert client_as("dave").post(url, {"note": "Not needed"}).status_code == 302
    assert set(ShareRequest.objects.values_list("state", flat=True)) == {"refused", "withdrawn"}


def test_accepting_leads_to_the_agreement(client_as, world, tower):
    made = offer(world, ask(world, tower))
    answer = client_as("dave").post(zh("offer_accept", made.pk))
    assert answer["Location"] == Agreement.objects.get().get_absolute_url()


def test_accepting_what_was_countered_says_so(client_as, world, tower):
    case = ask(world, tower)
    first = offer(world, case)
    offer(world, case, who="dave", price_fen=5)
    offer(world, case, price_fen=6)
    answer = client_as("dave").post(en("offer_accept", first.pk), follow=True)
    assert "Another offer has come" in text(answer)


# --- Signing and the document -------------------------------------------------------------------


def test_signing_by_password(client_as, world, tower):
    agreement = agree(world, tower)
    url = zh("agreement_sign", agreement.pk)
    dora = client_as("dora")
    page = text(dora.get(url))
    assert agreement.terms_sha256 in page
    values = {"password": "wrong", "terms_sha256": agreement.terms_sha256, "has_read": "on"}
    assert dora.post(url, values).status_code == 422
    assert dora.post(url, {**values, "password": PASSWORD, "has_read": ""}).status_code == 422
    assert not agreement.signatures.exists()
    assert dora.post(url, {**values, "password": PASSWORD}).status_code == 302
    assert agreement.signatures.get().signer_name == "Dora"
    assert dora.post(url, {**values, "password": PASSWORD}).status_code == 302  # twice is once
    assert agreement.signatures.count() == 1


def test_guessing_passwords_is_limited(client_as, world, tower):
    agreement = agree(world, tower)
    url, dora = en("agreement_sign", agreement.pk), client_as("dora")
    values = {"password": "wrong", "terms_sha256": agreement.terms_sha256, "has_read": "on"}
    pages = [text(dora.post(url, values)) for _ in range(12)]
    assert "Too many attempts" not in pages[0]
    assert "Too many attempts" in pages[-1]
    values["password"] = PASSWORD
    dora.post(url, values)
    assert not agreement.signatures.exists()


@pytest.mark.parametrize(("who", "code"), [("dave", 403), ("vera", 403), ("carol", 403), ("eve", 404), ("zhao", 404)])
def test_who_does_not_sign(client_as, world, tower, who, code):
    agreement = agree(world, tower)
    assert client_as(who).get(zh("agreement_sign", agreement.pk)).status_code == code


def test_document_is_read_in_both_languages(client_as, world, tower):
    agreement = signed(world, tower)
    url = zh("agreement_detail", agreement.pk)
    for page in (text(client_as("dave").get(url)), text(client_as("dave").get(en("agreement_detail", agreement.pk)))):
        for expected in ("明珠供电（虚构）", "Southern Telecom", world.power.uscc, "荷载校核", "Load and installation",
                         agreement.verification_code, "data:image/svg+xml"):  # fmt: skip
            assert expected in page


# --- Who reads ----------------------------------------------------------------------------------

OWN = ["request_detail", "agreement_detail"]
STEPS = ["request_withdraw", "request_refuse", "offer_make"]


def test_strangers_get_404_everywhere(client_as, world, tower):
    agreement = signed(world, tower)
    case = agreement.request
    for who in ("eve", "zhao", "nora"):
        client = client_as(who)
        assert client.get(zh("request_detail", case.pk)).status_code == 404
        for name in ("agreement_detail", "agreement_sign", "agreement_pdf"):
            assert client.get(zh(name, agreement.pk)).status_code == 404
        for name in STEPS:
            assert client.post(zh(name, case.pk), {}).status_code == 404
        assert client.post(zh("offer_accept", agreement.offer_id)).status_code == 404
        assert tower.name not in text(client.get(zh("request_list")))
        assert agreement.reference not in text(client.get(zh("agreement_list")))


def test_viewers_and_the_bureau_read_and_do_nothing(client_as, world, tower):
    case = ask(world, tower)
    made = offer(world, case)
    for who in ("vera", "carol"):
        client = client_as(who)
        assert client.get(zh("request_detail", case.pk)).status_code == 200
        assert client.post(zh("request_refuse", case.pk), {"code": "safety"}).status_code == 403
        assert client.post(zh("offer_accept", made.pk)).status_code == 403
        assert tower.name in text(client.get(zh("request_list")))
    case.refresh_from_db()
    assert case.state == "negotiating"


def test_bureau_reads_the_case_without_the_conversation(client_as, world, tower):
    case = ask(world, tower)
    post(thread=thread_about(case), by=world.dave, membership=world.as_["dave"], body="Between us", client_uuid=uuid4())
    assert "Between us" not in text(client_as("carol").get(zh("request_detail", case.pk)))
    assert "Between us" in text(client_as("vera").get(zh("request_detail", case.pk)))


def test_visitors_are_sent_to_sign_in(client, world, tower):
    agreement = agree(world, tower)
    urls = [zh("request_list"), zh("agreement_list"), zh("request_new", tower.pk)]
    urls += [zh(name, agreement.pk) for name in ("agreement_detail", "agreement_sign", "agreement_pdf")]
    urls += [zh("request_detail", agreement.request_id)]
    for url in urls:
        answer = client.get(url)
        assert answer.status_code == 302
        assert zh("account_login") in answer["Location"]


@pytest.mark.parametrize("name", [*STEPS, "offer_accept"])
def test_steps_are_taken_by_post_alone(client_as, world, tower, name):
    made = offer(world, ask(world, tower))
    pk = made.pk if name == "offer_accept" else made.request_id
    assert client_as("dave").get(zh(name, pk)).status_code == 405


def test_exact_place_is_on_no_page_of_the_case(client_as, world):
    from django.contrib.gis.geos import Point

    tower = make_resource(world.power, disclosure="blurred", place=Point(113.33777, 23.13777, srid=4326))
    agreement = signed(world, tower)
    for name, pk in (("request_detail", agreement.request_id), ("agreement_detail", agreement.pk)):
        page = text(client_as("dave").get(zh(name, pk)))
        assert "113.337" not in page
        assert "23.137" not in page


# --- Lists --------------------------------------------------------------------------------------


def test_list_filters_by_direction_state_and_words(client_as, world, tower):
    case = ask(world, tower)
    other = make_resource(world.operator, name="Operator mast")
    ask(world, other, who="alice")
    alice = client_as("alice")
    url = zh("request_list")
    assert "Operator mast" not in text(alice.get(url, {"side": "received"}))
    assert tower.name not in text(alice.get(url, {"side": "made"}))
    assert tower.name not in text(alice.get(url, {"state": "signed"}))
    assert tower.name in text(alice.get(url, {"text": case.code}))
    assert tower.name in text(alice.get(url, {"text": "南方"}))
    assert tower.name not in text(alice.get(url, {"text": "nothing like it"}))
    assert alice.get(url, {"state": "nonsense", "page": "x"}).status_code == 200


def test_what_runs_out_first_comes_first(client_as, world):
    first, second = ask(world, make_resource(world.power)), ask(world, make_resource(world.power))
    offer(world, first)  # its clock now runs longer
    page = text(client_as("alice").get(zh("request_list")))
    assert page.index(second.code) < page.index(first.code)


def test_queries_do_not_grow_with_rows(client_as, world, django_assert_max_num_queries):
    towers = [make_resource(world.power) for _ in range(8)]
    for tower in towers:
        signed(world, tower)
        ask(world, tower)
    alice = client_as("alice")
    for name in ("request_list", "agreement_list", "my_work"):
        with django_assert_max_num_queries(28 if name == "my_work" else 12):
            assert alice.get(zh(name)).status_code == 200


def test_case_queries_do_not_grow_with_its_story(client_as, world, room, django_assert_max_num_queries):
    case = ask(world, room, 2)
    for i in range(6):
        offer(world, case, who="dave" if i % 2 else "alice", price_fen=1_000 + i)
    for i in range(20):
        post(thread=thread_about(case), by=world.dave, membership=world.as_["dave"], body=f"m{i}", client_uuid=uuid4())
    dave = client_as("dave")
    dave.get(zh("request_detail", case.pk))  # what a process remembers is asked for once
    with django_assert_max_num_queries(28):
        assert dave.get(zh("request_detail", case.pk)).status_code == 200
    agreement = accept(world, case.offers.get(number=6), who="alice")
    sign(world, agreement, "alice")
    with django_assert_max_num_queries(14):
        assert dave.get(zh("agreement_detail", agreement.pk)).status_code == 200


# --- My work ------------------------------------------------------------------------------------


def test_my_work_says_what_is_due_and_what_others_owe(client_as, world, tower):
    from accounts.work import grouped, items_for

    def titles(who):
        groups = grouped(items_for(world.as_[who]))
        return {g: [str(i.title) for i in items if i.kind in ("Request", "Agreement")] for g, items in groups.items()}

    from django.utils.translation import override

    with override("en"):
        case = ask(world, tower)
        assert titles("alice")["mine"] == [f"Answer request {case.code}"]
        assert titles("bob") == {"mine": [], "others": [f"Answer request {case.code}"], "news": []}
        assert titles("dave")["others"] == [f"Request {case.code}: the other side answers"]
        made = offer(world, case)
        assert titles("dave")["mine"] == [f"Answer the offer on request {case.code}"]
        agreement = accept(world, made)
        assert titles("dora")["mine"] == [f"Sign the agreement of request {case.code}"]
        assert titles("dave")["mine"] == []
        sign(world, agreement, "alice")
        assert titles("alice")["others"] == [f"Request {case.code}: the other side signs"]
        sign(world, agreement, "dora")
        assert titles("dave")["others"] == [f"Works of request {case.code}: the other side goes on"]
        assert titles("carol") == {"mine": [], "others": [], "news": []}


def test_a_long_story_shows_its_beginning_and_its_latest_steps(client_as, world, tower):
    case = ask(world, tower)
    CaseStep.objects.bulk_create(
        CaseStep(request=case, number=i + 1, verb="report_findings", state="surveying", organisation=world.power,
                 note=f"finding {i};", made_at=timezone.now())
        for i in range(60)
    )  # fmt: skip
    page = client_as("dave").get(en("request_detail", case.pk)).content.decode()
    assert ("finding 59;" in page, "finding 0;" in page, "steps in between" in page) == (True, False, True)
    whole = client_as("dave").get(en("request_detail", case.pk) + "?steps=all").content.decode()
    assert ("finding 0;" in whole, "steps in between" in whole) == (True, False)


def test_an_offer_starts_from_the_published_price_with_tax(client_as, world, tower):
    """¥12,000 before tax and 6 %: the field that says "tax included" holds the sum with tax."""
    case = ask(world, tower)
    with_tax = with_rate(tower, 1_200_000)
    form = client_as("alice").get(zh("sheet_detail", case.pk)).context["form"]
    assert form["price_yuan"].value() * 100 == with_tax > 1_200_000
    assert form["is_net"].value() is True


def with_rate(tower, net_fen):
    return net_fen + net_fen * rule("money.tax_pct", tower.region).value / 100


def test_a_hold_has_one_date_before_and_after(client_as, world, tower):
    before = client_as("dave").get(zh("request_new", tower.pk)).context["hold_until"]
    case = ask(world, tower)
    day = date_format(timezone.localtime(before), "DATE_FORMAT")
    assert timezone.localdate(case.due_at) == timezone.localdate(before)
    asked = text(client_as("dave").get(zh("request_detail", case.pk))).split('data-case-live="asked"')[1]
    assert day in asked
