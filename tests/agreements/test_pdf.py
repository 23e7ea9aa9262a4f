"""The signed PDF: written once, in both languages, with its hash; found again by the public page."""

import hashlib
import io
import re

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from agreements.documents import store_pdf
from agreements.models import Agreement
from agreements.sweeps import write_missing_pdfs

from .story import agree, en, signed, zh


@pytest.fixture
def agreement(world, tower):
    return signed(world, tower)


@pytest.fixture
def written(agreement):
    store_pdf(agreement)
    agreement.refresh_from_db()
    return agreement


def words_of(agreement: Agreement) -> str:
    with agreement.pdf.open("rb") as file:
        reader = pypdf.PdfReader(io.BytesIO(file.read()))
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


def test_pdf_says_parties_reference_code_and_clauses_in_both_languages(world, written):
    words = words_of(written)
    for expected in (
        written.reference, written.verification_code, world.power.uscc, world.operator.uscc, "明珠供电（虚构）",
        "Southern Telecom", "共建共享协议", "荷载校核", "Load and installation", "Alice", "Dora", "个天线位",
    ):  # fmt: skip
        assert expected in words, expected


def test_pdf_is_a4_tagged_and_its_fonts_are_embedded(written):
    with written.pdf.open("rb") as file:
        reader = pypdf.PdfReader(io.BytesIO(file.read()))
        page = reader.pages[0]
        assert [round(float(x)) for x in page.mediabox[2:]] == [595, 842]
        assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
        assert reader.trailer["/Root"]["/Lang"].lower().startswith("zh")
        fonts = page["/Resources"]["/Font"].values()
        embedded = [f.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for f in fonts]
        assert embedded
        assert all({"/FontFile2", "/FontFile3"} & set(d.get_object()) for d in embedded)
        assert any("Noto" in str(f.get_object()["/BaseFont"]) for f in fonts)


def test_hash_is_that_of_the_stored_file_and_stays(written):
    with written.pdf.open("rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == written.pdf_sha256
    before = written.pdf.name
    assert store_pdf(Agreement.objects.get(pk=written.pk)) is False
    assert Agreement.objects.get(pk=written.pk).pdf.name == before


def test_unsigned_agreement_gets_no_pdf(world, tower):
    agreement = agree(world, tower)
    assert store_pdf(agreement) is False
    assert not agreement.pdf


def test_lost_pdf_is_asked_for_again(agreement):
    DBTaskResult.objects.all().delete()
    assert write_missing_pdfs() == 0  # just signed: its own task is on the way
    Agreement.objects.filter(pk=agreement.pk).update(signed_at=timezone.now() - timezone.timedelta(minutes=5))
    assert write_missing_pdfs() == 1
    assert DBTaskResult.objects.get().args_kwargs["args"] == [agreement.pk]
    store_pdf(Agreement.objects.get(pk=agreement.pk))
    assert write_missing_pdfs() == 0


def test_parties_and_bureau_download_it_and_wait_for_it(client_as, agreement):
    url = zh("agreement_pdf", agreement.pk)
    dave = client_as("dave")
    assert dave.get(url).status_code == 302
    waiting = dave.get(url, headers={"hx-request": "true"}).content.decode()
    assert "every 2s" in waiting
    store_pdf(agreement)
    ready = dave.get(url, headers={"hx-request": "true"}).content.decode()
    assert "every 2s" not in ready
    for who in ("dave", "vera", "carol"):
        answer = client_as(who).get(url)
        assert answer["Content-Type"] == "application/pdf"
        assert agreement.reference in answer["Content-Disposition"]
        assert b"".join(answer.streaming_content).startswith(b"%PDF")


def test_unsigned_agreement_has_no_pdf_page(client_as, world, tower):
    agreement = agree(world, tower)
    assert client_as("dave").get(zh("agreement_pdf", agreement.pk)).status_code == 404


# --- The public page ----------------------------------------------------------------------------


def verify(client, code):
    return client.get(en("agreement_verify"), {"code": code})


def test_anyone_verifies_by_code_however_it_is_typed(client, world, agreement):
    for typed in (agreement.verification_code, agreement.verification_code.lower().replace("-", " ")):
        page = verify(client, typed).content.decode()
        for expected in (
            agreement.reference,
            "Pearl Power",
            "Southern Telecom",
            "Tower",
            agreement.terms_sha256,
            "Signed",
        ):
            assert expected in page


def test_public_page_tells_no_place_no_name_and_no_price(client, world, tower, agreement):
    page = verify(client, agreement.verification_code).content.decode()
    for secret in (tower.name, tower.code, tower.owner_code, "12,000", "12000", "Tianhe", "Alice", "Dora", "113.3"):
        assert secret not in page, secret


def test_wrong_code_says_so_plainly(client, agreement):
    answer = verify(client, "AAAA-AAAA-AAAA-AAAA")
    assert answer.status_code == 422
    assert "No agreement has this code" in answer.content.decode()
    assert agreement.reference not in answer.content.decode()


def test_guessing_codes_is_limited_and_right_ones_still_work(client, agreement):
    answers = [verify(client, f"AAAA-AAAA-AAAA-AA{i:02d}").status_code for i in range(22)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert verify(client, agreement.verification_code).status_code == 200


def upload(client, content, code=""):
    url = en("agreement_verify") + (f"?code={code}" if code else "")
    return client.post(url, {"file": SimpleUploadedFile("a.pdf", content, "application/pdf")})


def test_the_signed_file_is_known_and_a_changed_one_is_not(client, written):
    with written.pdf.open("rb") as file:
        content = file.read()
    same = upload(client, content).content.decode()
    assert "unchanged" in same
    assert written.reference in same
    changed = upload(client, content + b" ").content.decode()
    assert "unchanged" not in changed
    assert written.reference not in changed
    with_code = upload(client, content + b" ", written.verification_code).content.decode()
    assert "not the signed PDF of this agreement" in with_code
    assert "unchanged" in upload(client, content, written.verification_code).content.decode()


def test_empty_upload_is_refused(client, db):
    assert upload(client, b"").status_code == 422


def test_verification_stores_nothing(client, written, django_assert_max_num_queries):
    with django_assert_max_num_queries(12) as queries:
        verify(client, written.verification_code)
    assert not [q for q in queries.captured_queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_pdf_carries_object_terms_and_signatures_as_agreed_in_both_languages(world, tower, written):
    """A glyph that is missing or not mapped could not be read back out of the file."""
    words = words_of(written)
    terms = written.offer
    first, last = terms.starts_on.isoformat(), terms.ends_on.isoformat()
    for expected in (
        "协议双方 Parties", "南方通信（虚构）", "Pearl Power", "产权单位（甲方）", "Applicant (Party B)",
        f"资源 Resource {tower.name}", f"平台编码 Resource code {tower.code}", tower.owner_code, "铁塔·杆 Tower / pole",
        "天河区（440106） Tianhe (440106)", "用途 Purpose 5G coverage",
        "1 个天线位（P1，35 m） 1 antenna position (P1, 35 m)",
        f"{first} 至 {last}（24 个月） {first} to {last} (24 months)",
        "¥12,000.00/年（含税） ¥12,000.00 a year, tax included", "¥12,000.00 × 24 / 12 = ¥24,000.00",
        "不得转让、转租或扩大使用范围", "neither transfers, sublets nor extends it",
    ):  # fmt: skip
        assert expected in words, expected
    signed_at = words[words.index("签署 Signatures") :]
    for signature in written.signatures.order_by("pk"):
        moment = timezone.localtime(signature.signed_at).strftime("%Y-%m-%d %H:%M")
        assert f"{signature.organisation.name_en} {signature.signer_name} {moment}" in signed_at
    assert f"验证码 Verification code {written.verification_code}" in signed_at
    assert written.terms_sha256 in signed_at
    assert words.count(f"{written.reference} · {written.verification_code}") >= 3  # at the foot of every page
    assert "\ufffd" not in words
    assert "\x00" not in words
