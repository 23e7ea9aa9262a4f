"""A small reader of Mapbox vector tiles, for looking at what really leaves the house."""

import math
import struct
from dataclasses import dataclass, field

LAYER, NAME, FEATURE, KEY, VALUE, EXTENT = 3, 1, 2, 3, 4, 5


@dataclass
class Feature:
    pk: int = 0
    properties: dict = field(default_factory=dict)
    points: list = field(default_factory=list)  # every vertex in tile units


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes):
    """(number, value): int for varints, bytes for the rest."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
        else:
            size, at = (8, at) if key & 7 == 1 else (4, at) if key & 7 == 5 else _varint(data, at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def _value(data: bytes):
    for number, value in _fields(data):
        if number == 1:
            return value.decode()
        if number in (2, 3):
            return struct.unpack("<f" if number == 2 else "<d", value)[0]
        if number == 6:
            return _zigzag(value)
        return bool(value) if number == 7 else value
    return None


def _zigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _integers(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _points(commands: list[int]) -> list[tuple[int, int]]:
    points, at, x, y = [], 0, 0, 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            continue
        for _ in range(count):
            x, y = x + _zigzag(commands[at]), y + _zigzag(commands[at + 1])
            at += 2
            points.append((x, y))
    return points


def _feature(data: bytes, keys: list[str], values: list) -> Feature:
    feature = Feature()
    for number, value in _fields(data):
        if number == 1:
            feature.pk = value
        elif number == 2:
            tags = _integers(value)
            feature.properties = {
                keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)
            }  # fmt: skip
        elif number == 4:
            feature.points = _points(_integers(value))
    return feature


def decode(tile: bytes) -> dict[str, list[Feature]]:
    """{layer name: features}."""
    layers = {}
    for number, data in _fields(tile):
        assert number == LAYER
        parts = list(_fields(data))
        keys = [value.decode() for number, value in parts if number == KEY]
        values = [_value(value) for number, value in parts if number == VALUE]
        name = next(value.decode() for number, value in parts if number == NAME)
        layers[name] = [_feature(value, keys, values) for number, value in parts if number == FEATURE]
    return layers


def address(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """The tile (z, x, y) a place lies in."""
    n = 2**z
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def degrees(point: tuple[int, int], z: int, x: int, y: int) -> tuple[float, float]:
    """Tile units → longitude, latitude."""
    n = 2**z
    lon = (x + point[0] / 4096) / n * 360 - 180
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + point[1] / 4096) / n))))
    return lon, lat


def metres_apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance on a sphere; good to half a per cent."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))
