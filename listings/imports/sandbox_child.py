"""Reads one hostile file inside the sandbox and prints it as JSON lines. A script: the server never imports it.

    sandbox_child.py FORMAT PATH LIMITS [SHEET]      FORMAT: xlsx-peek xlsx shp geojson gpkg kml dxf

First line {"meta": …}, then {"n": number, "v": [cells], "g": WKB in hex or null} per row, last {"end": count}; or
{"refused": code, "params": {…}}. Standard library, pyogrio and python_calamine only: nothing of the project is in here.
"""

import datetime
import json
import math
import os
import re
import resource
import sys

PEEK_ROWS = 40
SHOWN_ROWS = 3
KML_NOISE = {
    "timestamp",
    "begin",
    "end",
    "altitudeMode",
    "tessellate",
    "extrude",
    "visibility",
    "drawOrder",
    "icon",
    "snippet",
}
LINE_BREAK = re.compile(r"<br\s*/?>|</(?:p|tr|li|div)>|\r?\n", re.I)
TAG = re.compile(r"<[^>]*>")
PAIR = re.compile(r"^\s*([^:：<>]{1,24}?)\s*[:：]\s*(.+?)\s*$")


class Refused(Exception):
    def __init__(self, code, **params):
        super().__init__(code)
        self.code, self.params = code, params


def say(thing):
    sys.stdout.write(json.dumps(thing, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n")


def limit(limits):
    """The process's own limits, set before the file is touched."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_s"], limits["cpu_s"] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def plain(value, cell_max):
    """A cell as JSON can carry it: text, number, true/false or null; whole floats as integers, dates as ISO text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, int):
        return value
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    text = str(value)
    if len(text) > cell_max:
        raise Refused("cell_too_long", max=cell_max)
    return text.replace("\x00", "")


# --- Spreadsheets -------------------------------------------------------------------------------


def workbook(path):
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, ValueError) as error:
        raise Refused("xlsx_unreadable") from error


def sheet_of(book, name, limits):
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height > limits["rows"] + 1000:
        raise Refused("too_many_rows", max=limits["rows"], found=sheet.total_height)
    if sheet.total_width > limits["columns"]:
        raise Refused("too_many_columns", max=limits["columns"], found=sheet.total_width)
    return sheet


def filled(rows, merges, width):
    """Merged cells repeat their value; a title over most of the width stays where it is."""
    for (top, left), (bottom, right) in merges or []:
        if right - left + 1 > max(2, 0.6 * width) or top >= len(rows):
            continue
        value = rows[top][left] if left < len(rows[top]) else ""
        for r in range(top, min(bottom + 1, len(rows))):
            for c in range(left, min(right + 1, len(rows[r]))):
                rows[r][c] = value
    return rows


def peek(path, limits):
    book = workbook(path)
    sheets = []
    for name in book.sheet_names[:50]:
        try:
            sheet = sheet_of(book, name, limits)
        except Refused as refused:
            sheets.append({"name": name, "refused": refused.code, "params": refused.params})
            continue
        rows = sheet.to_python(skip_empty_area=False, nrows=PEEK_ROWS)
        rows = filled(rows, sheet.merged_cell_ranges, sheet.total_width)
        cells = [[plain(cell, limits["cell_chars"]) for cell in row] for row in rows]
        height = len(rows) if len(rows) < PEEK_ROWS else sheet.total_height + 1  # calamine counts from 0
        sheets.append(
            {
                "name": name,
                "height": height,
                "width": sheet.total_width,
                "rows": cells,
                "merges": [list(map(list, m)) for m in (sheet.merged_cell_ranges or [])[:500]],
            }
        )
    say({"meta": {"sheets": sheets}})
    say({"end": 0})


def spreadsheet(path, limits, name):
    sheet = sheet_of(workbook(path), name, limits)
    rows = filled(sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges, sheet.total_width)
    say({"meta": {}})
    for number, row in enumerate(rows, 1):
        say({"n": number, "v": [plain(cell, limits["cell_chars"]) for cell in row]})
    say({"end": len(rows)})


# --- Spatial files ------------------------------------------------------------------------------


def text_encoding(path):
    """The encoding of a .dbf: its .cpg where the texts bear it out, else UTF-8 where they decode, else GBK."""
    with open(os.path.splitext(path)[0] + ".dbf", "rb") as file:
        head = file.read(32)
        header_bytes = int.from_bytes(head[8:10], "little")
        file.seek(header_bytes)
        body = file.read(2_000_000)
    words = [w for w in re.split(rb"[\x00-\x20]+", body) if any(b > 127 for b in w)]
    declared = ""
    cpg = os.path.splitext(path)[0] + ".cpg"
    if os.path.exists(cpg):
        with open(cpg, "rb") as file:
            declared = file.read(40).decode("ascii", "ignore").strip().upper()
    if declared and declared not in ("UTF-8", "UTF8", "65001"):
        return declared, True
    if not words:
        return "UTF-8", bool(declared)
    good = 0
    for word in words[:5000]:
        try:
            word.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            pass
    return ("UTF-8", bool(declared)) if good >= 0.9 * min(len(words), 5000) else ("GBK", False)


def layers_of(pyogrio, source, form):
    """Names of the layers with geometry, largest first, and their counts. KML: the folders, in their order."""
    found = [(str(name), kind) for name, kind in pyogrio.list_layers(source) if kind is not None]
    if form == "kml":
        return [(name, 0) for name, _kind in found]
    if form == "dxf":  # the definitions of its symbols stand in a layer "blocks": those are no objects
        return [(name, 0) for name, _kind in found if name == "entities"]
    counted = [
        (name, pyogrio.read_info(source, layer=name, force_feature_count=True)["features"]) for name, _ in found[:50]
    ]
    return sorted(counted, key=lambda row: -row[1])


def slim(*names):
    """Packages that are not there for this process: pyogrio would bring them for what is not asked of it here, and
    they would be two thirds of the time a small file takes."""
    for name in names:
        sys.modules[name] = None


def spatial(form, path, limits, wanted):
    slim("pandas", "geopandas", "pyproj", "shapely", "pyarrow")
    import pyogrio

    drivers = {"shp": "ESRI Shapefile", "geojson": "GeoJSON", "gpkg": "GPKG", "kml": "LIBKML", "dxf": "DXF"}
    # GDAL_SKIP has left one driver: no file can choose its own reader.
    left = set(pyogrio.list_drivers())
    if left != {drivers[form]}:
        raise Refused("driver_guard", drivers=", ".join(sorted(left))[:100])
    source = {"geojson": "GeoJSON:", "gpkg": "GPKG:"}.get(form, "") + path
    options, meta = {}, {}
    if form == "shp":
        options["encoding"], meta["is_encoding_declared"] = text_encoding(path)
        meta["encoding"] = options["encoding"]
    try:
        layers = layers_of(pyogrio, source, form)
    except Exception as error:
        raise Refused("spatial_unreadable", detail=str(error)[:160]) from error
    if not layers:
        raise Refused("no_features")
    names = [name for name, _count in layers]
    chosen = names if form == "kml" else [wanted if wanted in names else names[0]]
    parts = []
    for name in chosen:
        try:
            parts.append(
                pyogrio.raw.read(source, layer=name, force_2d=True, max_features=limits["rows"] + 1, **options)
            )
        except Exception as error:
            raise Refused("spatial_unreadable", detail=str(error)[:160]) from error
    if sum(len(part[2]) for part in parts) > limits["rows"]:
        raise Refused("too_many_rows", max=limits["rows"], found=sum(len(part[2]) for part in parts))
    columns = []
    for part in parts:
        columns += [str(name) for name in part[0]["fields"] if str(name) not in columns]
    if form == "kml":
        columns = [name for name in columns if name not in KML_NOISE]
    if len(columns) > limits["columns"]:
        raise Refused("too_many_columns", max=limits["columns"], found=len(columns))
    rows, number = [], 0
    for part in parts:
        arrays = dict(zip(map(str, part[0]["fields"]), part[3], strict=True))
        listed = {name: listed_values(arrays[name]) for name in columns if name in arrays}
        for i, wkb in enumerate(part[2]):
            number += 1
            values = [plain(listed[name][i], limits["cell_chars"]) if name in listed else None for name in columns]
            rows.append((number, values, wkb))
    if form == "dxf":
        columns, rows = with_attributes(columns, rows)
    columns, rows = tidy(columns, rows, form)
    crs = parts[0][0]["crs"] or ""
    meta.update(columns=columns, crs=crs, layers=[{"name": n, "rows": c} for n, c in layers], layer=chosen[0])
    say({"meta": meta})
    for number, values, wkb in rows:
        say({"n": number, "v": values, "g": wkb.hex() if wkb is not None else None})
    say({"end": len(rows)})


def with_attributes(columns, rows):
    """A drawing's symbols carry "TAG VALUE" attributes in one field: each tag becomes a column."""
    if "BlockAttributes" not in columns:
        return columns, rows
    at = columns.index("BlockAttributes")
    found = []
    for _number, values, _wkb in rows:
        texts = [part.strip(" '\"[]") for part in re.split(r"['\"]\s*,?\s*['\"]|\n", str(values[at] or ""))]
        found.append(dict(text.split(" ", 1) for text in texts if " " in text))
    tags = sorted({tag for pairs in found for tag in pairs})[:60]
    columns = [*columns[:at], *columns[at + 1 :], *tags]
    return columns, [
        (number, [*values[:at], *values[at + 1 :], *(pairs.get(tag) for tag in tags)], wkb)
        for (number, values, wkb), pairs in zip(rows, found, strict=True)
    ]


def listed_values(array):
    """A numpy column as Python values; NaT and NaN become None."""
    if array.dtype.kind == "M":
        return [None if str(v) == "NaT" else str(v).replace("T", " ").removesuffix(" 00:00:00.000") for v in array]
    return array.tolist()


def tidy(columns, rows, form):
    """Empty columns go; a KML description of "word: value" lines becomes columns of its own."""
    if form == "kml" and "description" in columns:
        at = columns.index("description")
        pairs = [dict(described(values[at])) for _n, values, _g in rows]
        if sum(map(bool, pairs)) >= 0.8 * len(rows):
            more = []
            for pair in pairs:
                more += [key for key in pair if key not in columns and key not in more]
            more = more[:60]
            columns = columns + more
            rows = [
                (n, [*values, *(pair.get(key) for key in more)], g)
                for (n, values, g), pair in zip(rows, pairs, strict=True)
            ]
    used = [i for i in range(len(columns)) if any(values[i] not in (None, "") for _n, values, _g in rows)]
    return [columns[i] for i in used], [(n, [values[i] for i in used], g) for n, values, g in rows]


def described(text):
    for line in LINE_BREAK.split(str(text or "")[:20_000]):
        match = PAIR.match(TAG.sub(" ", line))
        if match:
            yield match.group(1), match.group(2)


def main():
    form, path, limits = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    wanted = sys.argv[4] if len(sys.argv) > 4 else ""
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    limit(limits)
    try:
        if form == "xlsx-peek":
            peek(path, limits)
        elif form == "xlsx":
            spreadsheet(path, limits, wanted)
        else:
            spatial(form, path, limits, wanted)
    except Refused as refused:
        say({"refused": refused.code, "params": refused.params})
    except MemoryError:
        say({"refused": "too_heavy", "params": {}})


if __name__ == "__main__":
    main()
