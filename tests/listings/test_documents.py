"""Documents: known by ending and first bytes, handed out as attachments only, to who sees the exact place."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from accounts.papers import stripped
from listings.actions.documents import add_document, delete_document
from listings.models import ResourceDocument
from tests import papers
from tests import world as make
from tests.papers import office

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
PDF = papers.pdf()


@pytest.fixture
def tower(world):
    return make.make_resource(world.power)


def add(world, tower, data=PDF, name="Report.pdf", who="bob", title=""):
    member = world.as_[who]
    return add_document(
        resource=tower, file=io.BytesIO(data), name=name, size_bytes=len(data), title=title, by=member.user,
        membership=member,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "content_type"),
    [
        ("Report.PDF", PDF, "application/pdf"),
        ("a.docx", office(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", office("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_a_document_comes_back_as_an_attachment_and_never_inline(world, tower, client_as, name, data, content_type):
    document = add(world, tower, data, name)
    assert document.title == name.rsplit(".", 1)[0]
    response = client_as("dave").get(reverse("document_file", args=[document.pk]))
    assert b"".join(response.streaming_content) == stripped(data, document.extension)
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert Event.objects.get(verb="document.add").actor == world.bob


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.html", b"<script>", "extension"),
        ("a.svg", b"<svg/>", "extension"),
        ("a.zip", office(), "extension"),
        ("noending", PDF, "extension"),
        ("a.pdf", b"<html>", "content"),
        ("a.pdf", b"", "content"),
        ("a.pdf", b"  %PDF-1.4", "content"),  # readers would take it, so would a page's own eyes
        ("a.docx", PDF, "content"),
        ("a.docx", office("xl/workbook.xml"), "content"),
        ("a.docx", b"PK\x03\x04 broken", "content"),
        ("a.docx", office("word/document.xml", "word/vbaProject.bin"), "macros"),
        ("a.dwg", b"AC1032" + b"\0" * 20, "extension"),  # its metadata cannot be taken out
    ],
)
def test_what_is_something_else_is_refused_with_a_sentence(world, tower, name, data, code, tmp_path):
    with pytest.raises(Refused) as failure:
        add(world, tower, data, name)
    assert failure.value.code == code
    assert str(failure.value)
    assert not ResourceDocument.objects.exists()


def test_too_much_is_refused(world, tower, settings, monkeypatch):
    settings.DOCUMENT_MAX_BYTES = 10
    with pytest.raises(Refused, match="at most 0 MB"):
        add(world, tower)
    settings.DOCUMENT_MAX_BYTES = 100_000
    add(world, tower)
    with pytest.raises(Refused, match="attached already"):
        add(world, tower)
    monkeypatch.setattr("listings.actions.documents.DOCUMENTS_MAX", 1)
    with pytest.raises(Refused, match="take one away"):
        add(world, tower, papers.pdf("2"))
    monkeypatch.setattr("listings.actions.documents.MEMBERS_MAX", 1)
    monkeypatch.setattr("listings.actions.documents.DOCUMENTS_MAX", 9)
    with pytest.raises(Refused, match="unpacks"):
        add(world, tower, office(), "a.docx")


def test_documents_go_with_the_exact_place(world, client_as, client):
    tower = make.make_resource(world.power, disclosure="blurred")
    document = add(world, tower, title="Drawing of the base")
    address = reverse("document_file", args=[document.pk])
    assert client_as("bob").get(address).status_code == 200
    assert client_as("dave").get(address).status_code == 404
    assert client.get(address).status_code == 404
    assert "Drawing of the base" in client_as("bob").get(f"/en/resources/{tower.pk}/").content.decode()
    assert "Drawing of the base" not in client_as("dave").get(f"/en/resources/{tower.pk}/").content.decode()


def test_only_who_keeps_the_record_attaches_and_takes_away(world, client_as, django_capture_on_commit_callbacks):
    tower = make.make_resource(world.power, manager=world.evil)
    document = add(world, tower, who="eve")  # the manager's editor keeps the record
    for who in ("vera", "dave"):
        with pytest.raises(NotPermitted):
            add(world, tower, papers.pdf(who), who=who)
        with pytest.raises(NotPermitted):
            delete_document(document=document, by=world.user(who), membership=world.as_[who])
    storage, name = document.file.storage, document.file.name
    with django_capture_on_commit_callbacks(execute=True):
        client_as("bob").post(reverse("document_delete", args=[document.pk]))
    assert not storage.exists(name)
    file = SimpleUploadedFile("x.pdf", PDF)
    client_as("bob").post(reverse("document_add", args=[tower.pk]), {"document": file})
    assert ResourceDocument.objects.get().title == "x"
