"""GCJ-02 and BD-09, the shifted systems of Chinese web maps, to and from WGS84. Pure; numpy arrays of degrees.

GCJ-02: the published approximation known from eviltransform and coordtransform (polynomial and sine terms on the
Krasovsky 1940 ellipsoid, a = 6 378 245 m, e² = 0.006 693 421 622 965 943 23); within about 1e-5° of what map services
give. BD-09: the same sources' polar shift on top of GCJ-02. The ways back are found by iteration.
"""

import numpy as np

A_M = 6378245.0
E2 = 0.00669342162296594323
BD_PI = np.pi * 3000.0 / 180.0
BD_SHIFT_LON, BD_SHIFT_LAT = 0.0065, 0.006
SHIFTED_BOX = (72.004, 0.8293, 137.8347, 55.8271)  # west, south, east, north: outside, GCJ-02 is WGS84
ITERATIONS = 12  # the error shrinks about a hundredfold each time

Degrees = np.ndarray


def is_shifted(lon: Degrees, lat: Degrees) -> np.ndarray:
    """Where GCJ-02 differs from WGS84 at all."""
    west, south, east, north = SHIFTED_BOX
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _offset(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave_x = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave_x
    d_lat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave_x
    d_lon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    rad = np.radians(lat)
    magic = 1.0 - E2 * np.sin(rad) ** 2
    d_lat = np.degrees(d_lat / ((A_M * (1.0 - E2)) / (magic * np.sqrt(magic))))
    d_lon = np.degrees(d_lon / (A_M / np.sqrt(magic) * np.cos(rad)))
    return d_lon, d_lat


def wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    d_lon, d_lat = _offset(lon, lat)
    shifted = is_shifted(lon, lat)
    return np.where(shifted, lon + d_lon, lon), np.where(shifted, lat + d_lat, lat)


def gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    return _inverse(wgs84_to_gcj02, lon, lat, is_shifted(lon, lat))


def gcj02_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BD_PI)
    return radius * np.cos(angle) + BD_SHIFT_LON, radius * np.sin(angle) + BD_SHIFT_LAT


def bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    return _inverse(gcj02_to_bd09, lon, lat, np.ones(lon.shape, bool))


def wgs84_to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _inverse(forward, lon: Degrees, lat: Degrees, where: np.ndarray) -> tuple[Degrees, Degrees]:
    """The point that `forward` carries to (lon, lat): fixed-point iteration; the shift varies slowly."""
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(ITERATIONS):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        guess_lon = np.where(where, guess_lon + lon - there_lon, guess_lon)
        guess_lat = np.where(where, guess_lat + lat - there_lat, guess_lat)
    return guess_lon, guess_lat
