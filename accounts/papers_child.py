"""Takes the metadata out of one paper: stdin → stdout. A script: the server never imports it.

    papers_child.py EXTENSION CPU_S MEMORY_BYTES      EXTENSION: pdf docx xlsx

Exit status 0 with the clean paper on stdout, or 3 with a reason's code on stderr: protected, signed, damaged, bomb.
Standard library and pikepdf only: nothing of the project is in here.

What tells who made a paper, where, when and with what goes: document properties, XMP, names in comments and tracked
changes, previews, what pictures inside carry (EXIF and its place). So do scripts and files attached inside a PDF. What
the paper shows stays as it was.
"""

import io
import re
import resource
import sys
import zipfile
from collections.abc import Callable

import pikepdf

PART_MAX_BYTES = 60 * 1024 * 1024  # of one XML part of an office file, unpacked
UNPACKED_MAX_BYTES = 300 * 1024 * 1024
DEPTH_MAX = 60  # of dictionaries and lists within one object
OBJECTS_MAX = 300_000  # of a PDF; thick reports have some ten thousand
OFFICE_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say

EMPTY_PARTS = {
    "docprops/core.xml": b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    b'core-properties"/>',
    "docprops/app.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    b'extended-properties"/>',
    "docprops/custom.xml": b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    b'custom-properties"/>',
}
XML_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Who wrote a comment or changed a word, and on which machine a workbook lay.
NAMES = (
    (re.compile(rb'(\s(?:\w+:)?(?:author|initials|lastModifiedBy|userName|displayName|userId|providerId)=)"[^"]*"'),
     rb'\1"-"'),
    (re.compile(rb"(\s(?:\w+:)?(?:author|initials|lastModifiedBy|userName|displayName|userId|providerId)=)'[^']*'"),
     rb"\1'-'"),
    (re.compile(rb"<((?:\w+:)?author)>[^<]*</"), rb"<\1>-</"),
    (re.compile(rb"<(\w+:)?absPath\b[^<>]*/>"), b""),
    (re.compile(rb'\s(?:w:rsid\w*|w14:paraId|w14:textId)="[^"]*"'), b""),
)  # fmt: skip
MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in a JPEG's scan: not stuffing, not a restart
THUMBNAIL = re.compile(rb"<(?:\w+:)?Relationship\b[^<>]*?metadata/thumbnail[^<>]*/>")


class Refused(Exception):
    """The paper cannot be taken; the argument is the reason's code (accounts/papers.py words it)."""


# --- Pictures inside ----------------------------------------------------------------------------


def bare_jpeg(data: bytes) -> bytes:
    """A JPEG without EXIF, XMP, IPTC and comments, its picture untouched; anything else comes back as it is.

    What stands behind the picture's end (a second picture, as phones append) goes.
    """
    if not data.startswith(b"\xff\xd8"):
        return data
    kept, at, has_picture = [b"\xff\xd8"], 2, False
    while at + 2 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xD9:
            break
        size = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + size
        if mark == 0xDA:  # a scan of the picture: until the next mark that is not part of it
            found = MARK.search(data, end)
            end, has_picture = found.start() if found else len(data), True
        if mark not in (0xE1, 0xED, 0xFE, *range(0xE3, 0xED), 0xEF):  # JFIF, colour profile and Adobe's mark stay
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, b"\xff\xd9"]) if has_picture else data


def bare_png(data: bytes) -> bytes:
    """A PNG without texts, EXIF and time."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"):
            kept.append(data[at : at + size])
        at += size
        if kind == b"IEND":
            break
    return b"".join(kept)


# --- PDF ----------------------------------------------------------------------------------------


def _pdf(data: bytes) -> bytes:
    try:
        with pikepdf.open(io.BytesIO(data)) as paper:
            if paper.is_encrypted:
                raise Refused("protected")
            if _is_signed(paper):
                raise Refused("signed")
            _strip_pdf(paper)
            out = io.BytesIO()
            # Written anew from its root: earlier versions inside the file and what nothing refers to are gone.
            paper.save(out, deterministic_id=True, linearize=False, fix_metadata_version=False)
    except pikepdf.PasswordError as failure:
        raise Refused("protected") from failure
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, RecursionError, RuntimeError) as failure:
        raise Refused("damaged") from failure
    return out.getvalue()


def _is_signed(paper: pikepdf.Pdf) -> bool:
    form = paper.Root.get("/AcroForm")
    return form is not None and bool(int(form.get("/SigFlags", 0)) & 1)


def _strip_pdf(paper: pikepdf.Pdf) -> None:
    if len(paper.objects) > OBJECTS_MAX or not len(paper.pages):
        raise ValueError("no pages, or far too many objects")
    if "/Info" in paper.trailer:
        del paper.trailer["/Info"]
    for name in ("/OpenAction", "/AA", "/AF", "/Collection"):
        if name in paper.Root:
            del paper.Root[name]
    if (names := paper.Root.get("/Names")) is not None:
        for name in ("/JavaScript", "/EmbeddedFiles"):
            if name in names:
                del names[name]
    for thing in paper.objects:
        _strip_within(thing, 0)


def _strip_within(thing: pikepdf.Object, depth: int) -> None:
    """The object and what stands in it directly: annotations and actions need not be objects of their own."""
    if depth > DEPTH_MAX:
        raise ValueError("nested too deeply")
    if isinstance(thing, pikepdf.Array):
        for inner in list(thing):
            if isinstance(inner, (pikepdf.Array, pikepdf.Dictionary)) and not inner.is_indirect:
                _strip_within(inner, depth + 1)
    elif isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        _strip_object(thing)
        for name in list(thing.keys()):
            inner = thing[name]
            if isinstance(inner, (pikepdf.Array, pikepdf.Dictionary)) and not inner.is_indirect:
                _strip_within(inner, depth + 1)


def _strip_object(thing: pikepdf.Object) -> None:
    for name in ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/AA", "/AF"):
        if name in thing:
            del thing[name]
    if thing.get("/S") in ("/JavaScript", "/Launch"):
        for name in list(thing.keys()):
            del thing[name]
    if thing.get("/Subtype") == "/FileAttachment" and "/FS" in thing:
        del thing["/FS"]
    is_note = "/Subtype" in thing and "/Rect" in thing  # annotations: who wrote them, and when
    for name in ("/T", "/M", "/CreationDate", "/NM") if is_note and thing.get("/Subtype") != "/Widget" else ():
        if name in thing:
            del thing[name]
    if isinstance(thing, pikepdf.Stream) and _is_jpeg(thing.get("/Filter")):
        raw = thing.read_raw_bytes()
        if (bare := bare_jpeg(raw)) != raw:
            thing.write(bare, filter=pikepdf.Name.DCTDecode, decode_parms=thing.get("/DecodeParms"))


def _is_jpeg(filters: pikepdf.Object | None) -> bool:
    """Stored as a JPEG and nothing around it, said as a name or as a list of one."""
    if isinstance(filters, pikepdf.Array):
        return len(filters) == 1 and filters[0] == "/DCTDecode"
    return filters is not None and filters == "/DCTDecode"


# --- Office -------------------------------------------------------------------------------------


def _office(data: bytes) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            members = [member for member in old.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > UNPACKED_MAX_BYTES:
                raise Refused("bomb")
            for member in members:
                if member.filename.lower().startswith("docprops/thumbnail"):
                    continue
                fresh = zipfile.ZipInfo(member.filename, OFFICE_DAY)
                fresh.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(fresh, _part(member.filename.lower(), _read(old, member)))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError) as failure:
        raise Refused("damaged") from failure
    return out.getvalue()


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > PART_MAX_BYTES:
        raise Refused("bomb")
    return archive.read(member)


def _part(name: str, data: bytes) -> bytes:
    """One part of an office file as it is kept."""
    if name in EMPTY_PARTS:
        return XML_HEAD + EMPTY_PARTS[name]
    for endings, bare in PICTURES.items():
        if name.endswith(endings):
            return bare(data)
    if not name.endswith((".xml", ".rels")):
        return data
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = re.sub(r'encoding="[^"]*"', 'encoding="UTF-8"', data.decode("utf-16"), count=1).encode()
    if name == "_rels/.rels":
        data = THUMBNAIL.sub(b"", data)
    for pattern, instead in NAMES:
        data = pattern.sub(instead, data)
    return data


PICTURES: dict[tuple[str, ...], Callable[[bytes], bytes]] = {(".jpg", ".jpeg"): bare_jpeg, (".png",): bare_png}


def main() -> int:
    """Limits itself, then reads. What outgrows a limit dies without a word, or is called a bomb."""
    extension, cpu_s, memory_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        clean = {"pdf": _pdf, "docx": _office, "xlsx": _office}[extension](sys.stdin.buffer.read())
    except Refused as reason:
        sys.stderr.write(str(reason))
        return 3
    except MemoryError:
        sys.stderr.write("bomb")
        return 3
    sys.stdout.buffer.write(clean)
    return 0


if __name__ == "__main__":
    sys.exit(main())
