"""Photos: nothing but the picture is kept, and what is too much is refused before it is decoded."""

import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions.photos import add_photo, delete_photo, small_name
from listings.models import ResourcePhoto
from tests import world as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def picture(size=(800, 600), form="JPEG", mode="RGB", **options) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, "steelblue" if mode == "RGB" else 0).save(target, form, **options)
    return target.getvalue()


def with_gps(orientation=1) -> bytes:
    """A landscape JPEG that says where it was taken, by which camera, and which side is up."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCamera"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (23.0, 7.0, 48.0), "E", (113.0, 19.0, 48.0)
    return picture((800, 400), exif=exif, comment=b"secret comment")


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0" * 100)) + chunk(b"IEND", b"")


def body(response) -> bytes:
    """All of a served file; read to its end the client closes it, without closing the test's database connection."""
    return b"".join(response.streaming_content)


@pytest.fixture
def tower(world):
    return make.make_resource(world.power)


def add(world, tower, data: bytes, name="bob", caption=""):
    member = world.as_[name]
    return add_photo(
        resource=tower, file=io.BytesIO(data), size_bytes=len(data), caption=caption, by=member.user, membership=member
    )


def test_a_photo_is_kept_without_place_and_camera(world, tower):
    data = with_gps()
    assert b"SecretCamera" in data  # the test's own picture does carry it
    photo = add(world, tower, data, caption="  Foot of the tower ")

    stored = photo.image.open("rb").read()
    for secret in (b"SecretCamera", b"secret comment", b"Exif", b"GPS"):
        assert secret not in stored
    with Image.open(io.BytesIO(stored)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("JPEG", (800, 400), {})
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(image.info)
    assert (photo.caption, photo.width_px, photo.height_px) == ("Foot of the tower", 800, 400)
    assert Event.objects.get(verb="photo.add").actor == world.bob


def test_a_picture_on_its_side_is_turned_upright(world, tower):
    assert (add(world, tower, with_gps(orientation=6)).width_px, ResourcePhoto.objects.get().height_px) == (400, 800)


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGB"), ("JPEG", "CMYK")]
)
def test_the_three_formats_in_every_mode_become_jpeg(world, tower, form, mode):
    photo = add(world, tower, picture((300, 200), form, mode))
    with Image.open(photo.image.open("rb")) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (300, 200))


def test_a_sixteen_bit_grey_keeps_its_shades(world, tower):
    target = io.BytesIO()
    Image.new("I;16", (20, 20), 0x8000).save(target, "PNG")
    with Image.open(add(world, tower, target.getvalue()).image.open("rb")) as image:
        assert abs(image.getpixel((5, 5))[0] - 128) <= 2


@pytest.mark.parametrize(
    "behind", [b"PK\x03\x04 a zip behind the picture", b"<script>alert(1)</script>", b"%PDF-1.4 a document"]
)
def test_nothing_behind_the_picture_is_kept(world, tower, behind):
    data = picture() + behind
    assert behind not in add(world, tower, data).image.open("rb").read()


def test_large_pictures_are_made_smaller(world, tower):
    photo = add(world, tower, picture((5000, 1000)))
    assert (photo.width_px, photo.height_px) == (2560, 512)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (picture((10, 10), "GIF", "P"), "not_a_picture"),
        (picture((10, 10), "TIFF"), "not_a_picture"),
        (png_header(30_000, 30_000), "bomb"),
        (png_header(9_000, 9_000), "bomb"),
        (picture()[:2_000], "damaged"),
        (png_header(100, 100), "damaged"),
    ],
)
def test_what_is_no_good_picture_is_refused_with_a_sentence(world, tower, data, code, tmp_path):
    with pytest.raises(Refused) as failure:
        add(world, tower, data)
    assert failure.value.code == code
    assert str(failure.value)
    assert not ResourcePhoto.objects.exists()
    assert not [path for path in (tmp_path / "private").rglob("*") if path.is_file()]


def test_a_bomb_is_refused_before_its_pixels_are_decoded(world, tower, monkeypatch):
    def decoded(*_args, **_kwargs):
        raise AssertionError("the picture was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with pytest.raises(Refused):
        add(world, tower, png_header(9_000, 9_000))


def test_moving_pictures_and_heavy_files_are_refused(world, tower, settings):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(Refused) as failure:
        add(world, tower, target.getvalue())
    assert failure.value.code == "animated"
    settings.PHOTO_MAX_BYTES = 1_000
    with pytest.raises(Refused) as failure:
        add(world, tower, picture())
    assert failure.value.code == "too_large"


def test_there_is_an_end_to_the_number_of_photos(world, tower, monkeypatch):
    monkeypatch.setattr("listings.actions.photos.PHOTOS_MAX", 1)
    add(world, tower, picture())
    with pytest.raises(Refused, match="take one away"):
        add(world, tower, picture())


@pytest.mark.parametrize("name", ["vera", "eve"])
def test_only_the_owner_s_editors_add_and_take_away(world, tower, name):
    photo = add(world, tower, picture())
    member = world.as_[name]
    with pytest.raises(NotPermitted):
        add(world, tower, picture(), name=name)
    with pytest.raises(NotPermitted):
        delete_photo(photo=photo, by=member.user, membership=member)


def test_a_photo_taken_away_leaves_no_file(world, tower, django_capture_on_commit_callbacks, client_as):
    photo = add(world, tower, picture())
    body(client_as("bob").get(reverse("photo_image", args=[photo.pk]), {"size": "small"}))
    storage, names = photo.image.storage, [photo.image.name, small_name(photo)]
    assert all(storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        delete_photo(photo=photo, by=world.bob, membership=world.as_["bob"])
    assert not any(storage.exists(name) for name in names)


def test_two_sizes_are_served_privately(world, tower, client_as, client):
    photo = add(world, tower, picture((2000, 1000)))
    address = reverse("photo_image", args=[photo.pk])
    for params, width in [({}, 2000), ({"size": "small"}, 480)]:
        response = client_as("dave").get(address, params)
        data = body(response)
        assert Image.open(io.BytesIO(data)).width == width
        assert response["Cache-Control"].startswith("private")
        assert response["Content-Type"] == "image/jpeg"
    response = client.get(address)  # a visitor sees what the resource's page shows
    assert response.status_code == 200
    assert body(response)


@pytest.mark.parametrize(("fields", "code"), [({"state": "draft"}, 404), ({"disclosure": "existence"}, 404)])
def test_a_photo_is_as_hidden_as_its_resource(world, client_as, client, fields, code):
    tower = make.make_resource(world.power, **fields)
    photo = add(world, tower, picture())
    address = reverse("photo_image", args=[photo.pk])
    assert client_as("dave").get(address).status_code == code
    assert client.get(address).status_code == code
    response = client_as("bob").get(address)
    assert response.status_code == 200
    assert body(response)


def test_upload_through_the_page_and_its_refusals(world, tower, client_as):
    address = reverse("photo_add", args=[tower.pk])
    good = SimpleUploadedFile("a.jpg", with_gps(), "image/jpeg")
    response = client_as("bob").post(address, {"photo": good, "caption": "Door"}, follow=True)
    assert ResourcePhoto.objects.get().caption == "Door"
    assert "Door" in response.content.decode()
    bad = SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")
    with_message = client_as("bob").post(address, {"photo": bad}, follow=True, headers={"accept-language": "en"})
    assert [str(m.level_tag) for m in with_message.context["messages"]] == ["error"]
    assert ResourcePhoto.objects.count() == 1
    codes = {name: client_as(name).post(address, {"photo": bad}).status_code for name in ("vera", "eve", "nora")}
    assert codes == {"vera": 403, "eve": 404, "nora": 404}
    assert client_as("bob").get(address).status_code == 405
