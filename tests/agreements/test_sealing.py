"""The portal's seal on PDFs: unbroken, broken, another's, none; and files that only pretend."""

import io
from concurrent.futures import ThreadPoolExecutor

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agreements import sealing
from agreements.documents import store_pdf

from .story import en, signed


def plain_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def own_pair(settings, tmp_path):
    settings.PRIVATE_ROOT = str(tmp_path / "one")
    return settings


def test_sealed_and_untouched_is_intact(own_pair):
    sealed = sealing.seal(plain_pdf(), reason="test")
    found = sealing.verdict(sealed)
    assert (found.is_ours, found.is_intact) == (True, True)
    assert found.sealed_at is not None


def test_sealing_only_adds(own_pair):
    plain = plain_pdf()
    assert sealing.seal(plain, reason="test").startswith(plain)


def test_every_changed_byte_of_the_document_breaks_it(own_pair):
    sealed = bytearray(sealing.seal(plain_pdf(), reason="test"))
    at = sealed.index(b"200")
    sealed[at : at + 3] = b"300"
    found = sealing.verdict(bytes(sealed))
    assert found is None or not found.is_intact


def test_something_added_after_it_breaks_it(own_pair):
    sealed = sealing.seal(plain_pdf(), reason="test")
    writer = pypdf.PdfWriter(io.BytesIO(sealed), incremental=True)
    writer.pages[0].rotate(90)
    out = io.BytesIO()
    writer.write(out)
    found = sealing.verdict(out.getvalue())
    assert found is not None
    assert not found.is_intact


def test_anothers_seal_is_not_ours(settings, tmp_path):
    settings.PRIVATE_ROOT = str(tmp_path / "other")
    sealed = sealing.seal(plain_pdf(), reason="test")
    settings.PRIVATE_ROOT = str(tmp_path / "ours")
    found = sealing.verdict(sealed)
    assert (found.is_ours, found.is_intact) == (False, True)


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7\n", b"\x00" * 5000, b"%PDF-1.7\n1 0 obj<<>>endobj trailer<</Root 1 0 R>>"]
)
def test_what_is_no_pdf_has_no_seal(own_pair, content):
    assert sealing.verdict(content) is None


def test_a_pdf_without_seal_has_none(own_pair):
    assert sealing.verdict(plain_pdf()) is None


def test_processes_that_make_a_pair_at_once_use_one(own_pair):
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _n: sealing.seal(plain_pdf(), reason="test"), range(8)))
    assert all(sealing.verdict(sealed).is_ours for sealed in seals)


def test_key_is_readable_by_its_owner_alone(own_pair, tmp_path):
    sealing.signer()
    assert (tmp_path / "one" / "seal" / "pair.pem").stat().st_mode & 0o077 == 0


def test_a_key_that_is_not_there_is_named(settings, tmp_path):
    settings.PDF_SEAL_KEY = settings.PDF_SEAL_CERTIFICATE = str(tmp_path / "nothing.pem")
    with pytest.raises(sealing.SealMissing, match="nothing.pem"):
        sealing.seal(plain_pdf(), reason="test")


def test_the_agreements_pdf_is_sealed_and_the_page_tells_a_changed_one(client, world, tower):
    agreement = signed(world, tower)
    store_pdf(agreement)
    agreement.refresh_from_db()
    with agreement.pdf.open("rb") as file:
        content = file.read()
    assert sealing.verdict(content).is_intact
    same = client.post(en("agreement_verify"), {"file": SimpleUploadedFile("a.pdf", content, "application/pdf")})
    assert "Its seal is this portal" in same.content.decode()
    changed = content + b"\n% more\n"
    answer = client.post(en("agreement_verify"), {"file": SimpleUploadedFile("a.pdf", changed, "application/pdf")})
    assert "changed after it was sealed" in answer.content.decode()
    none = client.post(en("agreement_verify"), {"file": SimpleUploadedFile("a.pdf", plain_pdf(), "application/pdf")})
    assert "no seal of this portal" in none.content.decode()
