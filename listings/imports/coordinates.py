"""Coordinates as people write them: decimal, degrees-minutes-seconds, two in a cell, WKT. Pure.

Only reads; which system the numbers are in is systems.py's question.
"""

import math
import re
import unicodedata
from typing import Any

import shapely

WKT_START = re.compile(r"^\s*(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*(?:Z|M|ZM)?\s*\(", re.I)
SRID = re.compile(r"^\s*SRID\s*=\s*(\d{4,6})\s*;", re.I)
METRES = re.compile(r"(?<=\d)\s*(?:m|米|公尺|metres?|meters?)\.?$", re.I)
HEMISPHERES = {"东经": "E", "西经": "W", "北纬": "N", "南纬": "S"}
LETTER = re.compile(r"[NSEW东西南北]", re.I)
LETTERS = {"东": "E", "西": "W", "北": "N", "南": "S"}
DEGREE, MINUTE, SECOND = re.compile(r"[°º˚度]"), re.compile(r"[′'’‘`分]"), re.compile(r"[″\"”“秒]")
DASHED = re.compile(r"^\d{1,3}-\d{1,2}-\d{1,2}(?:\.\d+)?$")
NUMBER = re.compile(r"^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$", re.I)
ESRI_PATHS = re.compile(r"^\s*\{\s*['\"](?:paths|rings|x)['\"]")


def _folded(cell: Any) -> str:
    # NFKC would turn ″ into two ′: seconds are named before it.
    text = SECOND.sub('"', str(cell if cell is not None else ""))
    text = text.replace("′′", '"').replace("''", '"')
    text = unicodedata.normalize("NFKC", text)
    return text.replace("−", "-").replace("\u3000", " ").strip().strip("\ufeff")


def one(cell: Any) -> tuple[float | None, str]:
    """(number, hemisphere "N" "S" "E" "W" or "") of one coordinate; (None, "") where it is none.

    Degrees for degrees, metres for projected ones. "109 35 41.06", "东经111度33分41.7秒", "108°39'01.42\"E".
    """
    if isinstance(cell, bool):
        return None, ""
    if isinstance(cell, (int, float)):
        return (float(cell), "") if math.isfinite(cell) else (None, "")
    text = METRES.sub("", _folded(cell))
    hemisphere = ""
    for word, letter in HEMISPHERES.items():
        if word in text:
            text, hemisphere = text.replace(word, " "), letter
    if not hemisphere and (found := LETTER.findall(text)):
        if len(found) > 1:
            return None, ""
        if not re.fullmatch(r"[-+]?\d+(?:\.\d+)?e[-+]?\d+", text, re.I):  # 1.1e2 is a number
            text, hemisphere = LETTER.sub(" ", text), LETTERS.get(found[0], found[0].upper())
    text = text.strip().strip(":：").strip()
    value = _number(text)
    if value is None:
        return None, ""
    if hemisphere in ("S", "W"):
        value = -abs(value)
    return value, hemisphere


def _number(text: str) -> float | None:
    if NUMBER.match(text):
        return float(text)
    if DASHED.match(text):
        text = text.replace("-", " ")
    parts = SECOND.sub(" ", MINUTE.sub(" ", DEGREE.sub(" ", text))).replace(":", " ").split()
    if not 1 <= len(parts) <= 3 or not all(NUMBER.match(part) for part in parts):
        return None
    degrees, *rest = (float(part) for part in parts)
    if any(not 0 <= part < 60 for part in rest) or abs(degrees) > 180 or (rest and degrees != int(degrees)):
        return None if rest else degrees
    if len(rest) == 2 and rest[0] != int(rest[0]):
        return None
    size = abs(degrees) + sum(part / 60 ** (i + 1) for i, part in enumerate(rest))
    return -size if text.lstrip().startswith("-") else size


def pair(cell: Any) -> tuple[float, float, bool] | None:
    """(first, second, is_order_known) of two coordinates in one cell; None where it holds no such thing.

    Order is known where hemispheres name it: then first is the longitude.
    """
    if not isinstance(cell, str):
        return None
    text = _folded(cell).strip("()[]【】 ")
    parts = [part for part in re.split(r"[,;，；|]", text) if part.strip()]
    if len(parts) == 1:
        parts = re.split(r"(?<=[NSEWnsew度秒\"])\s+(?=[\d东西南北NSEWnsew])|\s{2,}|\s*/\s*", text)
        if len(parts) != 2:
            halves = text.split()
            parts = halves if len(halves) == 2 else []
    if len(parts) == 3 and NUMBER.match(parts[2].strip()):
        parts = parts[:2]  # a height behind
    if len(parts) != 2:
        return None
    (first, sign_a), (second, sign_b) = one(parts[0]), one(parts[1])
    if first is None or second is None:
        return None
    if sign_a in ("N", "S") or sign_b in ("E", "W"):
        return second, first, True
    return first, second, sign_a in ("E", "W") or sign_b in ("N", "S")


def is_wkt(cell: Any) -> bool:
    return isinstance(cell, str) and bool(WKT_START.match(cell))


def geometry(cell: Any) -> shapely.Geometry | None:
    """The geometry of a WKT cell, heights dropped; None where it is none."""
    if not is_wkt(cell):
        return None
    text = cell.strip()
    text = text.split(";", 1)[1] if text.upper().startswith("SRID=") else text
    found = shapely.from_wkt(text, on_invalid="ignore")
    return shapely.force_2d(found) if found is not None else None


def srid_of(cell: Any) -> int:
    """The SRID an EWKT cell names; 0 where it names none."""
    match = SRID.match(cell) if isinstance(cell, str) else None
    return int(match.group(1)) if match else 0


def cut_off(cell: Any) -> bool:
    """Whether a cell is the beginning of a geometry that spilled over its neighbours or was cut."""
    return isinstance(cell, str) and (bool(ESRI_PATHS.match(cell)) or (is_wkt(cell) and geometry(cell) is None))
