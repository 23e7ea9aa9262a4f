"""Papers made in tests: PDF and office files with and without what tells of their makers."""

import io
import zipfile

import pikepdf
from PIL import Image

SECRET = "SecretMaker"


def pdf(words: str = "", *, secret: bool = False, change=None) -> bytes:
    """A PDF of one page. secret: with SECRET wherever metadata can stand. change: done to the pikepdf.Pdf."""
    paper = pikepdf.new()
    paper.add_blank_page(page_size=(200, 200))
    page = paper.pages[0]
    page.Contents = paper.make_stream(f"BT ET % {words}".encode())
    if secret:
        _tell(paper, page)
    if change:
        change(paper)
    out = io.BytesIO()
    paper.save(out, deterministic_id=True, compress_streams=not secret)
    data = out.getvalue()
    return data + f"\n% {SECRET} behind the end\n".encode() if secret else data


def _tell(paper: pikepdf.Pdf, page: pikepdf.Page) -> None:
    with paper.open_metadata() as meta:
        meta["dc:creator"] = [SECRET]
        meta["xmp:CreatorTool"] = SECRET
    paper.docinfo["/Author"], paper.docinfo["/Keywords"] = SECRET, SECRET
    page.obj.PieceInfo = pikepdf.Dictionary(Private=SECRET)
    page.obj.Thumb = paper.make_stream(SECRET.encode())
    picture = paper.make_stream(jpeg())
    picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    picture.Width, picture.Height, picture.BitsPerComponent = 20, 20, 8
    picture.ColorSpace, picture.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.DCTDecode
    picture.Metadata = paper.make_stream(SECRET.encode())
    page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], T=SECRET, Contents="Shown words"
    )
    page.obj.Annots = pikepdf.Array([paper.make_indirect(note)])
    paper.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"app.alert('{SECRET}')")
    paper.attachments["plan.txt"] = SECRET.encode()


def jpeg() -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = SECRET
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (20, 20), "red").save(out, "JPEG", exif=exif, comment=SECRET.encode())
    return out.getvalue() + SECRET.encode()


def png() -> bytes:
    from PIL.PngImagePlugin import PngInfo

    out, told = io.BytesIO(), PngInfo()
    told.add_text("Author", SECRET)
    told.add_itxt("Place", SECRET)
    Image.new("RGB", (20, 20), "red").save(out, "PNG", pnginfo=told)
    return out.getvalue()


def office(part: str = "word/document.xml", *more: str, secret: bool = False) -> bytes:
    """An office file as zips go. secret: with SECRET in every place metadata can stand."""
    parts: dict[str, bytes] = dict.fromkeys(("[Content_Types].xml", part, *more), b"<x>Shown words</x>")
    if secret:
        folder = part.split("/")[0]
        parts |= {
            "docProps/core.xml": f"<c><dc:creator>{SECRET}</dc:creator></c>".encode(),
            "docProps/app.xml": f"<P><Company>{SECRET}</Company></P>".encode(),
            "docProps/custom.xml": f"<P>{SECRET}</P>".encode(),
            "docProps/thumbnail.jpeg": jpeg(),
            "_rels/.rels": b'<Relationships><Relationship Id="r1" Target="docProps/thumbnail.jpeg" Type="http://'
            b'schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"/><Relationship Id="r2"/>'
            b"</Relationships>",
            f"{folder}/comments.xml": f'<w:c><w:comment w:author="{SECRET}" w:initials="{SECRET}">Shown words'
            f"</w:comment><authors><author>{SECRET}</author></authors></w:c>".encode(),
            f"{folder}/people.xml": f'<w15:person w15:author="{SECRET}"/>'.encode("utf-16"),
            f"{folder}/media/image1.jpeg": jpeg(),
            f"{folder}/media/image2.png": png(),
        }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            member = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            member.comment = SECRET.encode() if secret else b""
            archive.writestr(member, data)
        archive.comment = SECRET.encode() if secret else b""
    return out.getvalue()


def everything(data: bytes) -> bytes:
    """All bytes of a paper, unpacked, so that nothing hides in compression."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return data + b"".join(archive.read(name) for name in archive.namelist())
    with pikepdf.open(io.BytesIO(data)) as paper:
        out = io.BytesIO()
        paper.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.generalized, compress_streams=False,
                   object_stream_mode=pikepdf.ObjectStreamMode.disable)  # fmt: skip
    return data + out.getvalue()
