"""Coordinate systems: named, carried over to WGS84, and guessed with a stated confidence. No models; pyproj inside.

A system is named by "EPSG:n", "GCJ-02" or "BD-09". CGCS2000 is taken as WGS84: they differ by centimetres.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from listings.imports import datum
from listings.imports.findings import FileRefused
from listings.places import CHINA_BOX

WGS84, CGCS2000, GCJ02, BD09 = "EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09"
GCJ02_M, BD09_M = "GCJ-02-M", "BD-09-M"  # metres of the web maps drawn in them
SHIFTED = (GCJ02, BD09)
SHIFTED_M = (GCJ02_M, BD09_M)
OFFERED = (WGS84, CGCS2000, GCJ02, BD09)
PRESELECT = 0.8  # below this confidence nothing is chosen for the person
OLD_DATUMS = ("xian", "beijing")  # of 1980 and 1954: no public parameters to CGCS2000
GEOGRAPHIC_ONLY_MAX = 360.0
ZONE_BY_NUMBERS = 0.75  # metres of one zone: Xian 1980 and Beijing 1954 give the same within 100 m, so not enough
DECLARED_MIN = 5  # rows that name their division, from which they count as evidence

# Words in headers, titles and file names, searched in folded text.
WORDS: tuple[tuple[str, re.Pattern], ...] = (
    (GCJ02, re.compile(r"gcj-?0?2|火星|高德|腾讯|amap|国测局", re.I)),
    (BD09, re.compile(r"bd-?0?9|百度|baidu", re.I)),
    (CGCS2000, re.compile(r"cgcs ?-?2000|国家2000|2000国家|2000坐标|大地2000|4490", re.I)),
    (WGS84, re.compile(r"wgs-? ?(?:19)?84|gps|4326", re.I)),
    ("old", re.compile(r"西安80|西安1980|xian ?-?(?:19)?80|北京54|北京1954|beijing ?-?(?:19)?54|bj54|xa80", re.I)),
)
EPSG_WORD = re.compile(r"epsg[:_ -]?(\d{4,5})", re.I)
MERIDIAN_WORD = re.compile(r"(?:中央(?:子午线|经线)|(?<![\d.])CM[_ ]?)?(?<![\d.])(\d{2,3})\s*(?:°|度|E(?![a-z]))", re.I)


def crs_of(code: str) -> CRS:
    """The EPSG system. Raises FileRefused for unknown ones, old Chinese datums, and those not of two axes."""
    match = re.fullmatch(r"EPSG:(\d{4,6})", code)
    if not match:
        raise FileRefused("crs_unknown", code=code)
    return _crs(int(match.group(1)))


@lru_cache(maxsize=64)
def _crs(number: int) -> CRS:
    try:
        crs = CRS.from_epsg(number)
    except CRSError as error:
        raise FileRefused("crs_unknown", code=f"EPSG:{number}") from error
    if is_old_datum(crs):
        raise FileRefused("old_datum", name=crs.name)
    if not (crs.is_geographic or crs.is_projected) or crs.is_bound:
        raise FileRefused("crs_not_flat", name=crs.name)
    return crs


def is_old_datum(crs: CRS) -> bool:
    """Beijing 1954 and Xian 1980: their way to CGCS2000 is not public."""
    geodetic = crs.geodetic_crs
    name = f"{crs.name} {geodetic.datum.name if geodetic and geodetic.datum else ''}".lower()
    return any(word in name for word in OLD_DATUMS)


def check(code: str) -> str:
    """The code in its usual spelling. Raises FileRefused."""
    text = code.strip().upper().replace(" ", "")
    if text in ("GCJ02", "GCJ-02"):
        return GCJ02
    if text in ("BD09", "BD-09"):
        return BD09
    if text in ("BD09MC", "BD-09-M", "BD09-MC", "BD-09MC"):
        return BD09_M
    if text in ("GCJ02MC", "GCJ-02-M", "GCJ-02MC"):
        return GCJ02_M
    if text.isdecimal() and len(text) < 10:
        text = f"EPSG:{text}"
    crs_of(text)
    return text


def is_degrees(code: str) -> bool:
    """Whether the system's numbers are degrees."""
    if code in SHIFTED_M:
        return False
    return code in OFFERED or crs_of(code).is_geographic


def label(code: str) -> str:
    """A system's name for a person: "CGCS2000 / 3-degree Gauss-Kruger CM 114E (EPSG:4547)"."""
    names = {
        WGS84: _("WGS84 (GPS), degrees"),
        CGCS2000: _("CGCS2000, degrees"),
        GCJ02: _("GCJ-02 (Amap, Tencent: shifted)"),
        BD09: _("BD-09 (Baidu: shifted twice)"),
        GCJ02_M: _("Web Mercator metres of GCJ-02 (Amap, Tencent)"),
        BD09_M: _("BD-09 metres (Baidu)"),
    }
    if code in names:
        return names[code]
    try:
        return f"{crs_of(code).name} ({code})"
    except FileRefused:
        return code


@lru_cache(maxsize=64)
def _transformer(code: str) -> Transformer:
    return Transformer.from_crs(crs_of(code), CRS.from_epsg(4326), always_xy=True)


def to_wgs84(code: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude in WGS84; NaN where the system gives none. x is the easting, or the longitude.

    Numbers outside the system's range are passed on as they are for the degree systems: the rules name them.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if code == GCJ02:
        return datum.gcj02_to_wgs84(x, y)
    if code == BD09:
        return _back(datum.bd09_to_wgs84, x, y)
    if code in SHIFTED_M:
        usable = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 2.1e7) & (np.abs(y) < 1.2e7)
        if code == BD09_M:
            lon, lat = _back(datum.bd09_to_wgs84, *datum.metres_to_bd09(np.where(usable, x, 0), np.where(usable, y, 0)))
        else:
            lon, lat = datum.gcj02_to_wgs84(*datum.metres_to_degrees(np.where(usable, x, 0), np.where(usable, y, 0)))
        return np.where(usable, lon, np.nan), np.where(usable, lat, np.nan)
    if crs_of(code).is_geographic and code in (WGS84, CGCS2000):
        return x, y
    try:
        lon, lat = _transformer(code).transform(x, y, errcheck=False)
    except ProjError:
        return np.full_like(x, np.nan), np.full_like(y, np.nan)
    return np.where(np.isfinite(lon), lon, np.nan), np.where(np.isfinite(lat), lat, np.nan)


def _back(way, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = datum.is_shifted(x, y)
    lon, lat = way(np.where(inside, x, 100.0), np.where(inside, y, 30.0))
    return np.where(inside, lon, x), np.where(inside, lat, y)


def from_wgs84(code: str, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way back of to_wgs84(): easting and northing, or longitude and latitude, in the system."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    if code == GCJ02:
        return datum.wgs84_to_gcj02(lon, lat)
    if code == BD09:
        return datum.wgs84_to_bd09(lon, lat)
    if code == GCJ02_M:
        return datum.degrees_to_metres(*datum.wgs84_to_gcj02(lon, lat))
    if code == BD09_M:
        return datum.bd09_to_metres(*datum.wgs84_to_bd09(lon, lat))
    if code in (WGS84, CGCS2000):
        return lon, lat
    x, y = _transformer(code).transform(lon, lat, direction="INVERSE")
    return np.asarray(x), np.asarray(y)


# --- The guess ----------------------------------------------------------------------------------


@dataclass
class Candidate:
    """One reading of the file: which system, whether its two axes stand exchanged, how sure, and why (codes)."""

    code: str
    is_swapped: bool = False
    confidence: float = 0.0
    reasons: list[str] = field(default_factory=list)
    inside_share: float = 0.0  # of the sample, inside the owner's region
    declared_share: float | None = None  # of the rows that name their division, those that lie in it

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "is_swapped": self.is_swapped,
            "confidence": round(self.confidence, 2),
            "reasons": self.reasons,
            "inside_share": round(self.inside_share, 2),
        }


@dataclass
class Evidence:
    """What the guess is made from. x, y: a sample of the raw numbers. words: headers, title, sheet and file name.

    inside(lon, lat) → share of the places in the region they should lie in. known: (index, lon, lat) of rows whose
    resource is stored already. declared: (index, code prefix) of rows that name their division; where(lon, lat) gives
    the division under each place.
    """

    x: np.ndarray
    y: np.ndarray
    words: str = ""
    file_crs: str = ""
    is_by_format: bool = False
    inside: Callable[[np.ndarray, np.ndarray], float] = lambda lon, lat: 0.0
    known: Sequence[tuple[int, float, float]] = ()
    declared: Sequence[tuple[int, str]] = ()
    where: Callable[[np.ndarray, np.ndarray], Sequence[str | None]] = lambda lon, lat: [None] * len(lon)


def named(words: str) -> set[str]:
    """The systems that words speak of; "old" for Beijing 1954 and Xian 1980."""
    found = {code for code, pattern in WORDS if pattern.search(words)}
    found |= {f"EPSG:{number}" for number in EPSG_WORD.findall(words)}
    return found


def code_of_file(crs_text: str) -> str:
    """The EPSG code behind a .prj or a file's own statement; "" where it names none. FileRefused for old datums."""
    if not crs_text:
        return ""
    try:
        crs = CRS.from_user_input(crs_text)
    except CRSError:
        return ""
    if is_old_datum(crs):
        raise FileRefused("old_datum", name=crs.name)
    number = crs.to_epsg(min_confidence=70)
    if number is None and crs.is_geographic:
        return CGCS2000 if "2000" in crs.name else WGS84 if "WGS" in crs.name.upper() else ""
    return f"EPSG:{number}" if number else ""


def candidates(evidence: Evidence) -> list[Candidate]:
    """The likely systems, most likely first, at least one unless nothing fits. Raises FileRefused for old datums."""
    said = named(evidence.words)
    file_code = code_of_file(evidence.file_crs)
    if "old" in said and not file_code:
        raise FileRefused("old_datum", name="Beijing 1954 / Xian 1980")
    usable = np.isfinite(evidence.x) & np.isfinite(evidence.y)
    if not usable.any():
        return [Candidate(file_code or WGS84, confidence=0.5, reasons=["nothing_readable"])]
    x, y = evidence.x[usable], evidence.y[usable]
    is_projected = float(np.mean((np.abs(x) > GEOGRAPHIC_ONLY_MAX) & (np.abs(y) > GEOGRAPHIC_ONLY_MAX))) > 0.5
    found = (
        _projected(evidence, x, y, file_code, said) if is_projected else _geographic(evidence, x, y, file_code, said)
    )
    _by_declared(found, evidence)
    _by_known(found, evidence)
    return sorted(found, key=lambda c: -c.confidence)[:6]


def _share_in_china(lon: np.ndarray, lat: np.ndarray) -> float:
    west, south, east, north = CHINA_BOX
    with np.errstate(invalid="ignore"):
        return float(np.mean((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)))


def _geographic(evidence: Evidence, x, y, file_code: str, said: set[str]) -> list[Candidate]:
    here, exchanged = _share_in_china(x, y), _share_in_china(y, x)
    is_swapped = exchanged > 0.5 > here or (here < 0.5 and float(np.mean(np.abs(y) > 90)) > 0.5)
    lon, lat = (y, x) if is_swapped else (x, y)
    is_china = max(here, exchanged) > 0.5
    found = {code: Candidate(code, is_swapped) for code in (WGS84, *(SHIFTED if is_china else ()))}
    weights = {WGS84: 0.55, GCJ02: 0.27, BD09: 0.18}
    plain = CGCS2000 if CGCS2000 in said and WGS84 not in said else WGS84
    spoken = said & {WGS84, CGCS2000, GCJ02, BD09}
    spoken = {WGS84 if code == CGCS2000 else code for code in spoken}
    if not is_china:
        weights = {WGS84: 0.9}
        found[WGS84].reasons.append("abroad")
    elif len(spoken) == 1:
        code = spoken.pop()
        weights = {c: 0.95 if c == code else 0.025 for c in found}
        found[code].reasons.append("words")
    elif len(spoken) > 1:
        weights = {c: (0.9 / len(spoken)) if c in spoken else 0.05 for c in found}
        for code in spoken:
            found[code].reasons.append("words_conflict")
    elif file_code == CGCS2000 and not evidence.is_by_format:
        weights, plain = {WGS84: 0.9, GCJ02: 0.06, BD09: 0.04}, CGCS2000
        found[WGS84].reasons.append("file_crs")
    elif file_code and not evidence.is_by_format:
        # Shifted places are commonly saved under WGS84 by programs that know no other: it does not decide.
        weights = {WGS84: 0.72, GCJ02: 0.17, BD09: 0.11}
        found[WGS84].reasons.append("file_crs_may_err")
    elif evidence.is_by_format:
        weights = {WGS84: 0.65, GCJ02: 0.22, BD09: 0.13}
        found[WGS84].reasons.append("by_format")
    else:
        found[WGS84].reasons.append("nothing_said")
    if file_code and crs_of(file_code).is_geographic and file_code not in (WGS84, CGCS2000):
        found[file_code] = Candidate(file_code, is_swapped, reasons=["file_crs"])
        weights = {code: weight * 0.2 for code, weight in weights.items()} | {file_code: 0.8}
    for code, candidate in found.items():
        candidate.confidence = weights.get(code, 0.0)
        candidate.inside_share = evidence.inside(*to_wgs84(code, lon, lat))
    _by_region(list(found.values()))
    if is_swapped:
        for candidate in found.values():
            candidate.reasons.append("axes_swapped")
    found[WGS84].code = plain
    return list(found.values())


def _by_region(found: list[Candidate]) -> None:
    """Readings that put clearly fewer places into the region lose weight."""
    best = max(candidate.inside_share for candidate in found)
    for candidate in found:
        if best - candidate.inside_share > 0.02:
            candidate.confidence *= max(0.1, 1 - 3 * (best - candidate.inside_share))
            candidate.reasons.append("fewer_inside")
    total = sum(candidate.confidence for candidate in found) or 1
    if len(found) > 1 and total < 0.9:
        for candidate in found:
            candidate.confidence /= total / 0.9


def zone_codes(easting: np.ndarray, northing: np.ndarray) -> list[str]:
    """The CGCS2000 Gauss-Krüger systems these metres can be in: by the zone prefix, else every central meridian."""
    prefix = np.floor(easting / 1e6)
    usual = int(np.median(prefix))
    rest = easting - prefix * 1e6
    if 13 <= usual <= 23 and float(np.mean((rest > 5e4) & (rest < 9.5e5))) > 0.9:
        return [f"EPSG:{4491 + usual - 13}"]
    if 25 <= usual <= 45 and float(np.mean((rest > 2e5) & (rest < 8e5))) > 0.9:
        return [f"EPSG:{4513 + usual - 25}"]
    if float(np.mean((easting > 5e4) & (easting < 9.5e5) & (northing > 1e5) & (northing < 6.2e6))) > 0.9:
        return [f"EPSG:{4534 + i}" for i in range(21)]  # 6° zones share these meridians and give the same numbers
    return []


def _projected(evidence: Evidence, x, y, file_code: str, said: set[str]) -> list[Candidate]:
    found: list[Candidate] = []
    spoken = [code for code in said if code.startswith("EPSG:") and code not in (WGS84, CGCS2000)]
    for code, reason in [(file_code, "file_crs"), *((code, "words") for code in spoken)]:
        if code and crs_of(code).is_projected and code not in [c.code for c in found]:
            found.append(Candidate(code, confidence=0.96, reasons=[reason]))
    meridians = {int(m) for m in MERIDIAN_WORD.findall(evidence.words) if 72 <= int(m) <= 138}
    for is_swapped in (False, True):
        east, north = (y, x) if is_swapped else (x, y)
        codes = zone_codes(east, north)
        for code in codes:
            candidate = Candidate(code, is_swapped, ZONE_BY_NUMBERS if len(codes) == 1 else 0.1)
            candidate.reasons.append("zone_prefix" if len(codes) == 1 else "zone_by_region")
            if len(codes) > 1 and 75 + 3 * (int(code[5:]) - 4534) in meridians:
                candidate.confidence, candidate.reasons = ZONE_BY_NUMBERS, ["words"]
            if CGCS2000 in said and candidate.confidence == ZONE_BY_NUMBERS:
                candidate.confidence = 0.92
            elif CGCS2000 not in said:
                candidate.reasons.append("old_look_alike")
            if not any(c.code == code and c.is_swapped == is_swapped for c in found):
                found.append(candidate)
    if float(np.mean((np.abs(x) < 2.01e7) & (np.abs(y) < 2.01e7))) > 0.9:
        found.append(Candidate("EPSG:3857", confidence=0.15, reasons=["web_mercator"]))
        lon, lat = datum.metres_to_degrees(x, y)
        if _share_in_china(lon, lat) > 0.5:
            found += [Candidate(code, confidence=0.1, reasons=["web_mercator"]) for code in SHIFTED_M]
            _by_map_words(found, said)
    for candidate in found:
        lon, lat = to_wgs84(candidate.code, *((y, x) if candidate.is_swapped else (x, y)))
        candidate.inside_share = evidence.inside(lon, lat) if np.isfinite(lon).any() else 0.0
        if candidate.is_swapped:
            candidate.reasons.append("axes_swapped")
    stated = [c for c in found if c.reasons[0] in ("file_crs", "words", "zone_prefix")]
    guesses = sorted((c for c in found if c not in stated), key=lambda c: -c.inside_share)
    for rank, candidate in enumerate(guesses):
        next_share = guesses[rank + 1].inside_share if rank + 1 < len(guesses) else 0.0
        if rank == 0 and not stated:
            confidence = 0.3 + 0.4 * candidate.inside_share + 0.25 * (candidate.inside_share - next_share)
            candidate.confidence = min(confidence, ZONE_BY_NUMBERS) if CGCS2000 not in said else confidence
        else:
            candidate.confidence = 0.05 + 0.1 * candidate.inside_share
    return stated + [c for c in guesses if c.inside_share > 0 or not stated][:5]


def _by_map_words(found: list[Candidate], said: set[str]) -> None:
    """Web Mercator metres under a header that names the map they come from."""
    spoken = {GCJ02: GCJ02_M, BD09: BD09_M, WGS84: "EPSG:3857"}
    named_ones = {spoken[code] for code in said if code in spoken}
    if len(named_ones) == 1:
        for candidate in found:
            if candidate.code in named_ones:
                candidate.confidence, candidate.reasons = 0.92, ["words"]


def _by_declared(found: list[Candidate], evidence: Evidence) -> None:
    """The divisions that rows name, against the one each reading puts them in.

    Between systems some hundred metres apart this never decides (outlines are generalised to that): it only moves the
    order. Between zones hundreds of kilometres apart it does.
    """
    if len(evidence.declared) < DECLARED_MIN:
        return
    at = [i for i, _prefix in evidence.declared]
    shares = []
    for candidate in found:
        x, y = evidence.x[at], evidence.y[at]
        lon, lat = to_wgs84(candidate.code, *((y, x) if candidate.is_swapped else (x, y)))
        codes = evidence.where(lon, lat)
        fits = [bool(c and c.startswith(p)) for c, (_i, p) in zip(codes, evidence.declared, strict=True)]
        shares.append(sum(fits) / len(fits))
    best = max(shares)
    for candidate, share in zip(found, shares, strict=True):
        candidate.declared_share = share
        if best - share > 0.5:
            candidate.confidence *= 0.1
        elif share < best:
            candidate.confidence *= max(0.5, 1 - 2 * (best - share))
        elif best >= 0.9 and "zone_by_region" in candidate.reasons:
            candidate.confidence = max(candidate.confidence, ZONE_BY_NUMBERS)
            candidate.reasons.insert(0, "declared_regions")


def _by_known(found: list[Candidate], evidence: Evidence) -> None:
    """Resources stored before settle it: the reading that puts them where they stand is right."""
    if not evidence.known:
        return
    offsets = []
    for candidate in found:
        xs = np.array([evidence.x[i] for i, _lon, _lat in evidence.known])
        ys = np.array([evidence.y[i] for i, _lon, _lat in evidence.known])
        lon, lat = to_wgs84(candidate.code, *((ys, xs) if candidate.is_swapped else (xs, ys)))
        there = np.array([[k[1], k[2]] for k in evidence.known])
        offsets.append(float(np.nanmedian(metres_between(lon, lat, there[:, 0], there[:, 1]))))
    best = int(np.nanargmin(offsets)) if not all(map(math.isnan, offsets)) else -1
    rivals = [offset for i, offset in enumerate(offsets) if i != best]
    if best >= 0 and offsets[best] < 30 and all(offset > 100 for offset in rivals):
        for candidate in found:
            candidate.confidence = 0.01
        found[best].confidence = 0.99
        found[best].reasons.insert(0, "known_places")


def metres_between(lon_a, lat_a, lon_b, lat_b) -> np.ndarray:
    """Distance on the sphere for short ways (equirectangular), element by element."""
    x = np.radians(np.asarray(lon_b) - lon_a) * np.cos(np.radians((np.asarray(lat_a) + lat_b) / 2))
    y = np.radians(np.asarray(lat_b) - lat_a)
    return 6_371_008.8 * np.hypot(x, y)
