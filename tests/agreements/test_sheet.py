"""Term sheets: clauses agreed, countered or in dispute; price schemes; differences; the swap ledger."""

import random
import time
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.errors import Refused
from agreements import actions, states
from agreements.models import Offer, SwapEntry, TermSheet
from agreements.sheets import clauses as moves
from agreements.sheets.clauses import Answer
from agreements.sheets.diff import pieces
from agreements.sheets.draft import Draft, sheet_of
from listings.models import Kind
from tests.world import make_resource

from .story import accept, ask, en, offer, sign, zh


@pytest.fixture
def case(world, tower):
    return ask(world, tower)


def clause(sheet: TermSheet, code: str) -> dict:
    return next(clause for clause in sheet.clauses if clause["code"] == code)


def answer(world, case, who, price_fen=1_200_000, **answers) -> Offer:
    return offer(world, case, who=who, price_fen=price_fen, sheet=Draft(answers=answers))


# --- Clauses, version by version -----------------------------------------------------------------


def test_first_version_carries_the_library_and_each_further_one_its_answers(world, case):
    first = offer(world, case)
    assert {clause["stand"] for clause in first.sheet.clauses} == {"agreed"}
    second = answer(
        world, case, "dave", payment=Answer("按季度支付。", "Paid by the quarter."), end=Answer("x", "y", True)
    )
    assert clause(second.sheet, "payment") | {"title": 0} == {
        "code": "payment", "title": 0, "text": {"zh": "按季度支付。", "en": "Paid by the quarter."},
        "stand": "countered", "by": world.operator.pk, "remark": "",
    }  # fmt: skip
    assert (clause(second.sheet, "end")["stand"], second.sheet.disputed) == ("disputed", 1)
    with pytest.raises(Refused) as refusal:  # a price alone says nothing to his words, and silence is no yes
        offer(world, case, price_fen=777_700)
    assert refusal.value.code == "clauses"
    third = answer(world, case, "alice", payment=Answer("按季度支付。", "Paid by the quarter."))
    assert clause(third.sheet, "payment")["stand"] == "agreed"
    assert clause(third.sheet, "end")["stand"] == "disputed"


def test_version_in_dispute_is_not_accepted_whole_until_it_is_settled(world, case):
    offer(world, case)
    made = answer(world, case, "dave", end=Answer("", "", True))
    with pytest.raises(Refused) as refusal:
        accept(world, made, who="alice")
    assert refusal.value.code == "disputed"
    case.refresh_from_db()
    assert "in dispute" in {m.verb: m.reason for m in states.allowed(case, world.as_["alice"])}["accept"]
    settled = answer(world, case, "alice", end=Answer("提前30日通知。", "Thirty days' notice."))
    agreement = accept(world, settled, who="dave")
    assert {"zh": "提前30日通知。", "en": "Thirty days' notice."} in [c["text"] for c in agreement.terms["clauses"]]


def test_clause_struck_by_one_and_left_so_by_the_other_is_not_in_the_agreement(world, case):
    offer(world, case)
    made = answer(world, case, "dave", tower_interference=Answer("", ""))
    codes = [clause["code"] for clause in accept(world, made, who="alice").terms["clauses"]]
    assert "tower_interference" not in codes
    assert "tower_load" in codes


def test_added_clause_and_sharing_mode_come_into_the_agreement(world, case):
    draft = Draft(
        mode="same_site", answers={"own_1": Answer("夜间不施工。", "", title_zh="施工时间", title_en="Hours")}
    )
    made = offer(world, case, sheet=draft)
    terms = accept(world, made).terms
    codes = [clause["code"] for clause in terms["clauses"]]
    assert codes.index("mode_same_site") < codes.index("safety")
    assert codes[-1] == "own_1"
    assert terms["mode"]["zh"] == "同址同平台"


def test_version_that_only_agrees_is_to_be_accepted_instead(world, case):
    offer(world, case)
    answer(world, case, "dave", payment=Answer("按季度支付。", ""))
    with pytest.raises(Refused) as refusal:
        offer(world, case)
    assert refusal.value.code == "same_terms"


def test_same_version_sent_twice_is_one(world, case):
    draft = Draft(scheme="tariff", inputs={f"rate_{case.items.get().pool_id}": "800"})
    first = offer(world, case, sheet=draft, answers=0)
    assert offer(world, case, sheet=draft, answers=0) == first
    assert first.price_fen_per_year == 80_000


def test_offer_without_a_sheet_of_before_still_reads_and_is_accepted(world, case):
    made = offer(world, case)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE agreements_termsheet DISABLE TRIGGER term_sheet_kept")
        cursor.execute("DELETE FROM agreements_termsheet")
        cursor.execute("ALTER TABLE agreements_termsheet ENABLE TRIGGER term_sheet_kept")
    made = Offer.objects.get(pk=made.pk)
    assert clause(sheet_of(made), "payment")["stand"] == "agreed"
    terms = accept(world, made).terms
    assert len(terms["clauses"]) > 5
    assert "working" not in terms["price"]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE agreements_termsheet SET clauses = '[]', disputed = 0", "append-only"),
        ("DELETE FROM agreements_termsheet", "append-only"),
        ("UPDATE agreements_offer SET state = 'accepted' WHERE state = 'open'", "in dispute"),
        ("INSERT INTO agreements_termsheet (offer_id, mode, scheme, inputs, working, clauses, disputed) SELECT id, '',"
         " 'free', '{}', '{}', '[{\"stand\": \"disputed\"}]', 0 FROM agreements_offer LIMIT 1", "counts_disputes"),
    ],
)  # fmt: skip
def test_database_holds_sheets_and_disputes(world, case, sql, message):
    offer(world, case)
    answer(world, case, "dave", end=Answer("", "", True))
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        connection.cursor().execute(sql)


# --- Price schemes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "inputs", "fen"),
    [
        ("free", {}, 0),
        ("cost", {"build": "100000", "life": "10", "maintenance": "2000", "tenants": "2"}, 924_000),
        ("cost", {"build": "100000", "life": "10", "maintenance": "2000", "tenants": "3", "is_anchor": "1"}, 726_000),
        ("cost", {"build": "100000", "life": "10", "maintenance": "2000", "is_net": "1", "tax_pct": "9"}, 1_007_160),
        ("joint", {"common": "90000", "owner_part": "1000", "applicant_part": "5000", "joint_life": "10"}, 500_000),
        ("joint", {"common": "90000", "owner_units": "2", "applicant_units": "1", "method": "pro_rata"}, 300_000),
    ],
)
def test_price_follows_from_the_scheme(world, case, scheme, inputs, fen):
    made = offer(world, case, price_fen=7, sheet=Draft(scheme=scheme, inputs=inputs))
    assert made.price_fen_per_year == fen
    working = made.sheet.working
    assert working["tax"]["net_fen"] + working["tax"]["tax_fen"] == fen
    by_scheme = {row["scheme"]: row["fen_per_year"] for row in working["side_by_side"]}
    assert by_scheme["free"] == 0
    assert by_scheme["published"] == 1_200_000
    terms = accept(world, made).terms
    assert terms["price"]["scheme"]["code"] == scheme


@pytest.mark.parametrize(
    ("scheme", "inputs", "code"),
    [
        ("cost", {"build": "-1"}, "figure"), ("cost", {"build": "5", "life": "0"}, "cost"),
        ("cost", {"build": "NaN"}, "figure"), ("cost", {"tenants": "1.5"}, "tenants"),
        ("joint", {"common": "0"}, "joint"), ("joint", {"common": "5", "method": "x"}, "joint"),
        ("swap", {}, "swap"), ("free", {"tax_pct": "90"}, "tax"), ("free", {"index": "x"}, "index"),
    ],
)  # fmt: skip
def test_figures_that_make_no_price_are_refused(world, case, scheme, inputs, code):
    with pytest.raises(Refused) as refusal:
        offer(world, case, sheet=Draft(scheme=scheme, inputs=inputs))
    assert refusal.value.code == code
    assert not Offer.objects.exists()


# --- Differences ---------------------------------------------------------------------------------


def test_difference_marks_words_and_signs():
    found = [(piece.sort, piece.text) for piece in pieces("提前90日书面通知", "提前30日书面通知对方")]
    assert found == [("same", "提前"), ("removed", "90"), ("added", "30"), ("same", "日书面通知"), ("added", "对方")]


@settings(max_examples=60, deadline=None)
@given(st.text("ab 一二。", max_size=30), st.text("ab 一二。", max_size=30))
def test_difference_holds_both_texts_whole(before, after):
    found = pieces(before, after)
    assert "".join(p.text for p in found if p.sort != "removed") == after
    assert "".join(p.text for p in found if p.sort != "added") == before


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["keep", "words", "strike", "dispute"]), min_size=1, max_size=6))
def test_two_sides_that_only_keep_come_to_one_text(rounds):
    """Whatever is proposed: once nobody disputes and both carry on, nothing is open any more."""
    sheet = moves.library("tower")
    for number, act in enumerate(rounds):
        given = {"words": Answer(f"新{number}", ""), "strike": Answer("", ""), "dispute": Answer("", "", True)}.get(act)
        sheet = moves.answered(sheet, {"use": given} if given else {}, 1 + number % 2)
    for side in (1, 2, 1, 2):
        was = next((c for c in sheet if c["code"] == "use"), None)
        answers = {"use": Answer(**was["text"])} if was and was["stand"] == "disputed" and was["by"] == side else {}
        sheet = moves.answered(sheet, answers, side)
    assert moves.disputed(sheet) == 0
    assert all(c["stand"] == "agreed" for c in sheet)


# --- Pages ---------------------------------------------------------------------------------------


def form_of(page, **changes) -> dict:
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value is not None and value is not False}
    return values | changes


def test_form_makes_a_version_and_the_page_shows_the_difference(client_as, world, case):
    alice, dave, url = client_as("alice"), client_as("dave"), en("sheet_detail", case.pk)
    page = alice.get(url)
    assert alice.post(url, form_of(page, price_yuan="12000")).status_code == 302
    changes = {"c_payment_zh": "按季度支付。", "c_payment_en": "", "c_end_open": "on", "c_end_remark": "too long"}
    assert dave.post(url, form_of(dave.get(url), price_yuan="9000", **changes)).status_code == 302
    text = alice.get(url).content.decode()
    for expected in ("<del>", "<ins>", "按季度支付", "too long", "1 clause is in dispute", "v1 → v2"):
        assert expected in text, expected
    assert "v2 → v2" in alice.get(url, {"from": "2", "to": "2"}).content.decode()
    assert case.offers.get(number=2).price_fen_per_year == 900_000


def test_work_out_shows_the_schemes_and_sends_nothing(client_as, world, case):
    alice, url = client_as("alice"), en("sheet_detail", case.pk)
    values = form_of(alice.get(url), scheme="cost", build="100000", maintenance="2000", work_out="1")
    answer = alice.post(url, values)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "nothing is sent yet" in text
    assert "9,240" in text
    assert not Offer.objects.exists()


def test_stale_form_is_told_keeps_its_words_and_can_be_sent_again(client_as, world, case):
    offer(world, case)
    dave, url = client_as("dave"), en("sheet_detail", case.pk)
    values = form_of(dave.get(url), price_yuan="8000", c_use_zh="仅限本站。", c_use_en="This site only.")
    offer(world, case, who="dave", price_fen=5)
    offer(
        world,
        case,
        price_fen=6,
        sheet=Draft(answers={"own_1": Answer("新条。", "New.", title_zh="新", title_en="New")}),
    )
    told = dave.post(url, values)
    text = told.content.decode()
    assert told.status_code == 422
    for expected in ("in the meantime", "kept below", "仅限本站。", "8000", "新条。"):
        assert expected in text, expected
    again = dict(told.context["form"].data.items())
    assert dave.post(url, again).status_code == 302
    made = case.offers.get(number=4)
    assert clause(made.sheet, "own_1")["stand"] == "agreed"
    assert clause(made.sheet, "use")["stand"] == "countered"


def test_english_left_behind_is_pointed_out(client_as, case):
    alice, url = client_as("alice"), en("sheet_detail", case.pk)
    answer = alice.post(url, form_of(alice.get(url), price_yuan="1", c_use_zh="仅限本站。"))
    assert answer.status_code == 422
    assert "the English did not" in answer.content.decode()


@pytest.mark.parametrize(("who", "code"), [("vera", 200), ("carol", 200), ("eve", 404)])
def test_who_reads_the_sheet(client_as, world, case, who, code):
    offer(world, case)
    assert client_as(who).get(zh("sheet_detail", case.pk)).status_code == code
    assert client_as(who).post(zh("sheet_detail", case.pk), {}).status_code in (403, 404)


# --- Core swap -----------------------------------------------------------------------------------


@pytest.fixture
def swapped(world):
    place = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)
    cable = make_resource(world.power, Kind.CABLE, name="Cable at Pearl Lake", place=place)
    made = offer(world, ask(world, cable, 2), sheet=Draft(scheme="swap", mode="core_swap"))
    agreement = accept(world, made)
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    return agreement


def test_core_swap_is_entered_when_signed_and_reversed_when_it_ends(world, client_as, swapped):
    entry = SwapEntry.objects.get()
    assert (entry.giver, entry.taker, entry.sort) == (world.power, world.operator, "given")
    assert entry.core_km > 0
    for who in ("alice", "dave"):
        page = client_as(who).get(en("swap_ledger")).content.decode()
        assert swapped.reference in page
        side = "in our favour" if who == "alice" else "owed by us"
        assert f"Balance {side}, core-km: {entry.core_km}" in page
    assert swapped.reference not in client_as("eve").get(en("swap_ledger")).content.decode()
    case = swapped.request
    actions.take_step(request=case, verb="give_up", by=world.dave, membership=world.as_["dave"], note="not needed")
    assert sum(SwapEntry.objects.values_list("core_km", flat=True)) == Decimal(0)
    assert "even" in client_as("alice").get(en("swap_ledger")).content.decode()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE agreements_swapentry SET core_km = 1", "append-only"),
        ("DELETE FROM agreements_swapentry", "append-only"),
        ("INSERT INTO agreements_swapentry (agreement_id, sort, giver_id, taker_id, core_km, entered_at) SELECT"
         " agreement_id, 'given', giver_id, taker_id, 5, now() FROM agreements_swapentry", "swap_once"),
        ("INSERT INTO agreements_swapentry (agreement_id, sort, giver_id, taker_id, core_km, entered_at) SELECT"
         " agreement_id, 'returned', giver_id, taker_id, -core_km - 1, now() FROM agreements_swapentry", "was given"),
    ],
)  # fmt: skip
def test_database_holds_the_ledger(swapped, sql, message):
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        connection.cursor().execute(sql)


def test_long_clauses_are_compared_by_sentence_and_quickly():
    def text(seed):
        signs = random.Random(seed)
        return "".join(signs.choice("共建共享资源协议条款甲乙双方") + "。" * (n % 40 == 39) for n in range(3_000))

    before = text(1)
    changed = before[:1_500] + "改动" + before[1_502:]
    assert sum(len(piece.text) for piece in pieces(before, changed) if piece.sort != "same") <= 80
    started = time.process_time()
    found = pieces(before, text(2))
    assert time.process_time() - started < 2
    assert "".join(piece.text for piece in found if piece.sort != "removed") == text(2)
    assert "".join(piece.text for piece in found if piece.sort != "added") == before


def test_clauses_that_cannot_be(world, case):
    with pytest.raises(Refused) as refusal:
        answer(world, case, "alice", payment=Answer("", "Paid by the quarter."))
    assert refusal.value.code == "no_zh"
    with pytest.raises(Refused) as refusal:
        answer(world, case, "alice", **{f"own_{n}": Answer("条款", "clause", title_zh="补充") for n in range(1, 22)})
    assert refusal.value.code == "many_clauses"
