"""What a file is, told by extension and first bytes, and whether it may be opened at all. Opens nothing itself."""

import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings

from listings.imports import limits
from listings.imports.findings import FileRefused

ZIP_MAGIC = b"PK\x03\x04"
SQLITE_MAGIC = b"SQLite format 3\x00"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DXF_START = re.compile(rb"\s*(?:999\r?\n[^\n]*\n\s*)*0\r?\n\s*SECTION")  # text drawings; binary ones are refused
FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".geojson": "geojson",
    ".json": "geojson",
    ".zip": "shp",
    ".kml": "kml",
    ".kmz": "kmz",
    ".gpkg": "gpkg",
    ".dxf": "dxf",
}
ACCEPT = ",".join(FORMATS)
SHAPE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
ARCHIVES = (".zip", ".kmz", ".7z", ".rar", ".gz", ".tar")
HINTS = {
    ".shp": "loose_shp",
    ".dbf": "loose_shp",
    ".shx": "loose_shp",
    ".xls": "old_xls",
    ".et": "old_xls",
    ".dwg": "no_dwg",
    ".rar": "no_archive",
    ".7z": "no_archive",
    ".pdf": "no_pdf",
    ".doc": "no_pdf",
    ".docx": "no_pdf",
}


def format_of(file: IO[bytes], name: str, size_bytes: int) -> str:
    """csv, xlsx, geojson, shp, kml, kmz, gpkg or dxf; the file stands at its start again. Raises FileRefused."""
    extension = PurePosixPath(name.lower()).suffix
    if size_bytes == 0:
        raise FileRefused("empty_file")
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise FileRefused(
            "too_large", max_mb=settings.UPLOAD_MAX_BYTES // 1024**2, found_mb=round(size_bytes / 1024**2, 1)
        )
    if extension not in FORMATS:
        raise FileRefused(HINTS.get(extension, "unknown_extension"), extension=extension or "—")
    form = FORMATS[extension]
    file.seek(0)
    head = file.read(4096)
    _hold_magic(form, head, extension)
    if form in ("xlsx", "shp", "kmz"):
        form = _check_zip(file, form)
    if form == "kml":
        check_no_entities(file)
    file.seek(0)
    return form


def _hold_magic(form: str, head: bytes, extension: str) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(OLE_MAGIC):
        raise FileRefused("locked_or_old")
    fits = {
        "xlsx": head.startswith(ZIP_MAGIC),
        "shp": head.startswith(ZIP_MAGIC),
        "kmz": head.startswith(ZIP_MAGIC),
        "gpkg": head.startswith(SQLITE_MAGIC),
        "geojson": text.startswith((b"{",)),
        "kml": text.startswith(b"<") or head.startswith((b"\xff\xfe", b"\xfe\xff")),
        "dxf": bool(DXF_START.match(head)),
        "csv": not head.startswith((ZIP_MAGIC, SQLITE_MAGIC, b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")),
    }[form]
    if not fits:
        raise FileRefused("content_differs", extension=extension)


def check_no_entities(file: IO[bytes]) -> None:
    """KML needs no DOCTYPE; one is a way to blow a parser up or make it read other files."""
    file.seek(0)
    tail = b""
    while block := file.read(1 << 20):
        window = (tail + block).replace(b"\x00", b"").upper()
        if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
            raise FileRefused("xml_entities")
        tail = block[-32:]


def _check_zip(file: IO[bytes], form: str) -> str:
    """The members of an archive before any is unpacked: how many, how large, where they would go."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _hold_members(members, form)
            if form == "xlsx":
                _hold_workbook(archive, members)
                return form
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise FileRefused("bad_zip") from error
    names = [member_name(member).lower() for member in members]
    if form == "shp" and not any(name.endswith(".shp") for name in names):
        if any(name.endswith(".kml") for name in names):
            return "kmz"
        raise FileRefused("no_shp_in_zip")
    if form == "kmz" and not any(name.endswith(".kml") for name in names):
        raise FileRefused("no_kml_in_kmz")
    return form


def member_name(member: zipfile.ZipInfo) -> str:
    """The name as meant: Chinese archivers write GBK without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _hold_members(members: list[zipfile.ZipInfo], form: str) -> None:
    if len(members) > limits.ZIP_MEMBERS_MAX:
        raise FileRefused("zip_members", max=limits.ZIP_MEMBERS_MAX, found=len(members))
    if sum(member.file_size for member in members) > limits.ZIP_UNPACKED_MAX_BYTES:
        raise FileRefused("zip_unpacked", max_mb=limits.ZIP_UNPACKED_MAX_BYTES // 1024**2)
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0]:
            raise FileRefused("zip_path")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise FileRefused("zip_link")
        if member.flag_bits & 0x1:
            raise FileRefused("locked_or_old")
        if form != "xlsx" and name.lower().endswith(ARCHIVES):
            raise FileRefused("zip_nested")
        if member.file_size > limits.RATIO_FROM_BYTES and member.file_size > limits.ZIP_RATIO_MAX * max(
            1, member.compress_size
        ):
            raise FileRefused("zip_ratio", max=limits.ZIP_RATIO_MAX)


def _hold_workbook(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    names = {member.filename for member in members}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused("content_differs", extension=".xlsx")
    for member in members:
        if member.filename.endswith((".xml", ".rels")):
            with archive.open(member) as part:
                if b"<!DOCTYPE" in part.read(4096).replace(b"\x00", b"").upper():
                    raise FileRefused("xml_entities")


def unpack_shapes(path: Path, folder: Path, wanted: str = "") -> tuple[str, list[str]]:
    """Copies one shapefile's parts out of the zip under names of our own; gives its name and all names found.

    Sizes are counted while unpacking: what the archive says of itself is not believed.
    """
    with zipfile.ZipFile(path) as archive:
        parts: dict[str, dict[str, zipfile.ZipInfo]] = {}
        for member in archive.infolist():
            name = PurePosixPath(member_name(member).replace("\\", "/"))
            suffix = name.suffix.lower()
            if suffix in SHAPE_PARTS and not name.name.startswith("."):
                parts.setdefault(str(name.with_suffix("")), {})[suffix] = member
        shapes = {stem: members for stem, members in parts.items() if ".shp" in members}
        if not shapes:
            raise FileRefused("no_shp_in_zip")
        ordered = sorted(shapes, key=lambda stem: (-shapes[stem][".shp"].file_size, stem))
        stem = wanted if wanted in shapes else ordered[0]
        lacking = [part for part in (".shx", ".dbf") if part not in shapes[stem]]
        if lacking:
            raise FileRefused("shp_parts", name=PurePosixPath(stem).name, parts=" ".join(lacking))
        _copy(archive, ((m, folder / f"data{suffix}") for suffix, m in shapes[stem].items()))
    return stem, ordered


def unpack_kml(path: Path, folder: Path) -> None:
    """The (first) .kml of a .kmz, as data.kml."""
    with zipfile.ZipFile(path) as archive:
        found = sorted(
            (m for m in archive.infolist() if m.filename.lower().endswith(".kml")),
            key=lambda m: (m.filename.lower() != "doc.kml", m.filename),
        )
        _copy(archive, [(found[0], folder / "data.kml")])
    with (folder / "data.kml").open("rb") as file:
        check_no_entities(file)


def _copy(archive: zipfile.ZipFile, pairs) -> None:
    left = limits.ZIP_UNPACKED_MAX_BYTES
    try:
        for member, target in pairs:
            with archive.open(member) as source, target.open("wb") as out:
                while block := source.read(1 << 20):
                    left -= len(block)
                    if left < 0:
                        raise FileRefused("zip_unpacked", max_mb=limits.ZIP_UNPACKED_MAX_BYTES // 1024**2)
                    out.write(block)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise FileRefused("bad_zip") from error


def tidy_name(name: str) -> str:
    """A file's name for showing: no path, no control characters, at most 200 characters."""
    plain = "".join(c for c in PurePosixPath(name.replace("\\", "/")).name if unicodedata.category(c)[0] != "C")
    return plain[-200:] or "file"


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(1 << 20):
        yield block
    file.seek(0)
