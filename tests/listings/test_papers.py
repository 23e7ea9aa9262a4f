"""Metadata put into papers is found neither in what is kept nor in what is handed out; what they show stays."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.errors import Refused
from accounts.papers import stripped
from accounts.papers_child import bare_jpeg, bare_png
from listings.models import ResourceDocument
from tests import papers
from tests import world as make
from tests.papers import SECRET, everything

pytestmark = pytest.mark.django_db
WITH_SECRETS = {
    "a.pdf": papers.pdf(secret=True),
    "a.docx": papers.office(secret=True),
    "a.xlsx": papers.office("xl/workbook.xml", secret=True),
}


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_neither_what_is_kept_nor_what_is_handed_out_tells_of_its_maker(world, client_as, name):
    data = WITH_SECRETS[name]
    assert SECRET.encode() in everything(data)  # the test can fail
    tower = make.make_resource(world.power)
    client_as("bob").post(reverse("document_add", args=[tower.pk]), {"document": SimpleUploadedFile(name, data)})
    document = ResourceDocument.objects.get()
    kept = Path(document.file.path).read_bytes()
    served = b"".join(client_as("dave").get(reverse("document_file", args=[document.pk])).streaming_content)
    assert served == kept
    found = everything(kept)
    for secret in (SECRET.encode(), SECRET.encode("utf-16-le"), SECRET.encode("utf-16-be"), b"Exif", b"JavaScript"):
        assert secret not in found, found[max(0, found.index(secret) - 200) : found.index(secret) + 50]
    assert b"Shown words" in found
    assert document.size_bytes == len(kept)
    assert not [path for path in Path(document.file.path).parent.iterdir() if SECRET.encode() in path.read_bytes()]


def test_a_pdf_still_shows_its_pages_and_its_picture():
    with pikepdf.open(io.BytesIO(stripped(WITH_SECRETS["a.pdf"], "pdf"))) as paper:
        assert len(paper.pages) == 1
        picture = pikepdf.PdfImage(paper.pages[0].Resources.XObject.Im0).as_pil_image()
        assert picture.size == (20, 20)
        assert "/Info" not in paper.trailer


def test_a_workbook_still_opens_with_its_cells():
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.properties.creator = SECRET
    book.active.append(["管孔", 7])
    book.save(out)
    clean = stripped(out.getvalue(), "xlsx")
    assert SECRET.encode() not in everything(clean)
    again = openpyxl.load_workbook(io.BytesIO(clean))
    assert [cell.value for cell in again.active[1]] == ["管孔", 7]
    with zipfile.ZipFile(io.BytesIO(clean)) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}
        assert b"thumbnail" not in archive.read("_rels/.rels")


@pytest.mark.parametrize(("bare", "data"), [(bare_jpeg, papers.jpeg()), (bare_png, papers.png())])
def test_pictures_inside_keep_every_pixel_and_lose_the_rest(bare, data):
    clean = bare(data)
    assert SECRET.encode() not in clean
    assert Image.open(io.BytesIO(clean)).tobytes() == Image.open(io.BytesIO(data)).tobytes()
    assert bare(b"no picture") == b"no picture"


def _signed(paper: pikepdf.Pdf) -> None:
    paper.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=pikepdf.Array())


def _protected() -> bytes:
    with pikepdf.open(io.BytesIO(papers.pdf())) as paper:
        out = io.BytesIO()
        paper.save(out, encryption=pikepdf.Encryption(owner="x", user="x"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "extension", "code"),
    [
        (papers.pdf(change=_signed), "pdf", "signed"),
        (_protected(), "pdf", "protected"),
        (b"%PDF-1.4\n%%EOF\n", "pdf", "damaged"),
        (b"%PDF-1.7\n" + b"\x00\xff" * 5000, "pdf", "damaged"),
        (papers.office()[:200], "docx", "damaged"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_a_sentence(data, extension, code):
    with pytest.raises(Refused) as failure:
        stripped(data, extension)
    assert failure.value.code == code
    assert str(failure.value)


def test_the_same_paper_is_the_same_again():
    assert stripped(WITH_SECRETS["a.pdf"], "pdf") == stripped(WITH_SECRETS["a.pdf"], "pdf")
    assert stripped(WITH_SECRETS["a.docx"], "docx") == stripped(WITH_SECRETS["a.docx"], "docx")


def office_with(part: str, data: bytes) -> bytes:
    book = io.BytesIO(papers.office())
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, data)
    return book.getvalue()


def test_an_office_file_that_unpacks_to_far_too_much_is_refused():
    with pytest.raises(Refused) as failure:
        stripped(office_with("word/huge.xml", bytes(61 * 2**20)), "docx")
    assert failure.value.code == "bomb"


@pytest.mark.parametrize("has_enclosure", [True, False])
def test_what_outgrows_its_memory_is_refused_and_the_server_lives_on(monkeypatch, has_enclosure):
    """The same paper is taken where there is room."""
    data = office_with("word/large.xml", bytes(55 * 2**20))
    if not has_enclosure:
        monkeypatch.setattr("accounts.enclosure.why_unavailable", lambda: "switched off")
    assert stripped(data, "docx")
    monkeypatch.setattr("accounts.papers.MEMORY_BYTES", 100 * 2**20)
    with pytest.raises(Refused) as failure:
        stripped(data, "docx")
    assert failure.value.code == "bomb"


def test_what_stands_directly_in_a_page_is_cleaned_too():
    """Annotations and actions need not be objects of their own."""
    with pikepdf.open(io.BytesIO(papers.pdf())) as paper:
        page = paper.pages[0].obj
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("SCRIPT-STAYS"))
        program = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("PROGRAM-STAYS"))
        rect = pikepdf.Array([0, 0, 9, 9])
        page.Annots = pikepdf.Array([
            pikepdf.Dictionary(Subtype=pikepdf.Name.Text, Rect=rect, T=pikepdf.String("AUTHOR-STAYS")),
            pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=rect, A=script),
            pikepdf.Dictionary(Subtype=pikepdf.Name.Link, Rect=rect, A=program),
            pikepdf.Dictionary(
                Subtype=pikepdf.Name.FileAttachment, Rect=rect,
                FS=pikepdf.Dictionary(F=pikepdf.String("FILE-STAYS")),
            ),
        ])  # fmt: skip
        page.AF = pikepdf.Array([pikepdf.Dictionary(F=pikepdf.String("FILE-STAYS"))])
        out = io.BytesIO()
        paper.save(out)
    assert b"AUTHOR-STAYS" in everything(out.getvalue())  # the test can fail
    found = everything(stripped(out.getvalue(), "pdf"))
    for left in (b"SCRIPT-STAYS", b"PROGRAM-STAYS", b"AUTHOR-STAYS", b"FILE-STAYS"):
        assert left not in found


def test_a_picture_behind_the_picture_goes():
    one = papers.jpeg()
    clean = bare_jpeg(one + one)  # as phones append a second one, with its own EXIF
    assert b"Exif" in one
    assert b"Exif" not in clean
    assert clean == bare_jpeg(one)


def test_open_marks_without_end_take_no_time(monkeypatch):
    """Each start once looked to the end of the part: 80,000 signs took 0.4 s, and four times that for twice as many."""
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", "<Relationship " * 60_000)
        archive.writestr("word/document.xml", "<absPath " * 200_000)
    monkeypatch.setattr("accounts.papers.CPU_S", 10)  # quadratic, it runs for minutes and is refused
    assert stripped(book.getvalue(), "docx")
