"""Pictures handed in through Wagtail: limits first, then written anew; renditions carry nothing either."""

import io
import json

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Picture
from wagtail.images import get_image_model

from accounts.errors import Refused
from accounts.models import User
from tests.listings.test_photos import picture, png_header, with_gps

pytestmark = pytest.mark.django_db
Image = get_image_model()


@pytest.fixture
def editor(client):
    user = User.objects.create_superuser("root@example.org", "correct horse battery", name="Root")
    client.force_login(user, backend="accounts.backends.PasswordBackend")
    return client


def held(file) -> bytes:
    with file.open("rb") as stored:
        return stored.read()


def test_the_picture_kept_and_its_renditions_carry_no_metadata(editor):
    data = with_gps(orientation=6)
    assert b"SecretCamera" in data
    answer = editor.post("/cms/images/add/", {"title": "Tower", "file": SimpleUploadedFile("t.jpg", data, "image/jpeg"),
                                              "collection": 1, "tags": ""})  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()[:2000]
    image = Image.objects.get()
    kept = held(image.file)
    assert (image.width, image.height) == (400, 800)
    assert image.file_size == len(kept)
    rendition = held(image.get_rendition("max-165x165").file)
    for secret in (b"SecretCamera", b"secret comment", b"Exif", b"GPS"):
        assert secret not in kept
        assert secret not in rendition


def test_many_at_once_go_the_same_way(editor):
    file = SimpleUploadedFile("t.jpg", with_gps(), "image/jpeg")
    answer = editor.post(
        "/cms/images/multiple/add/", {"title": "t", "files[]": file, "collection": 1},
        headers={"x-requested-with": "XMLHttpRequest"},
    )  # fmt: skip
    assert json.loads(answer.content)["success"]
    assert b"SecretCamera" not in held(Image.objects.get().file)


@pytest.mark.parametrize(
    "data", [png_header(9_000, 9_000), b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:2000]]
)
def test_what_is_no_good_picture_is_refused_on_the_form(editor, data):
    answer = editor.post("/cms/images/add/", {"title": "x", "file": SimpleUploadedFile("t.png", data, "image/png"),
                                              "collection": 1, "tags": ""})  # fmt: skip
    assert answer.status_code == 200
    assert not Image.objects.exists()


def test_a_picture_saved_by_no_form_is_rewritten_too(db):
    image = Image.objects.create(title="x", file=ContentFile(with_gps(), "x.jpg"))
    assert b"SecretCamera" not in held(image.file)
    with pytest.raises(Refused):
        Image.objects.create(title="y", file=ContentFile(png_header(9_000, 9_000), "y.png"), width=1, height=1)


def test_clear_parts_stay_clear(db):
    target = io.BytesIO()
    Picture.new("RGBA", (30, 30), (1, 2, 3, 0)).save(target, "PNG")
    image = Image.objects.create(title="x", file=ContentFile(target.getvalue(), "x.png"))
    assert image.file.name.endswith(".png")
    with Picture.open(image.file.open("rb")) as kept:
        assert kept.mode == "RGBA"
