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


# Baidu's own metres ("BD-09 MC"), as the map's published script has them: per band of |latitude| (from, in degrees)
# nine coefficients and the scale of the polynomial in latitude / scale. Held against 168 pairs of shared data.
BD_BANDS_DEG = (75.0, 60.0, 45.0, 30.0, 15.0, 0.0)
BD_METRES = (
    (-0.0015702102444, 111320.7020616939, 1704480524535203.0, -10338987376042340.0, 26112667856603880.0,
     -35149669176653700.0, 26595700718403920.0, -10725012454188240.0, 1800819912950474.0, 82.5),
    (0.0008277824516172526, 111320.7020463578, 647795574.6671607, -4082003173.641316, 10774905663.51142,
     -15171875531.51559, 12053065338.62167, -5124939663.577472, 913311935.9512032, 67.5),
    (0.00337398766765, 111320.7020202162, 4481351.045890365, -23393751.19931662, 79682215.47186455,
     -115964993.2797253, 97236711.15602145, -43661946.33752821, 8477230.501135234, 52.5),
    (0.00220636496208, 111320.7020209128, 51751.86112841131, 3796837.749470245, 992013.7397791013,
     -1221952.21711287, 1340652.697009075, -620943.6990984312, 144416.9293806241, 37.5),
    (-0.0003441963504368392, 111320.7020576856, 278.2353980772752, 2485758.690035394, 6070.750963243378,
     54821.18345352118, 9540.606633304236, -2710.55326746645, 1405.483844121726, 22.5),
    (-0.0003218135878613132, 111320.7020701615, 0.00369383431289, 823725.6402795718, 0.46104986909093,
     2351.343141331292, 1.58060784298199, 8.77738589078284, 0.37238884252424, 7.45),
)  # fmt: skip
MERCATOR_RADIUS_M = 6378137.0  # of the web's Mercator (EPSG:3857)


def bd09_to_metres(lon: Degrees, lat: Degrees) -> tuple[np.ndarray, np.ndarray]:
    """BD-09 degrees to Baidu's metres."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    x, y = np.empty(lon.shape), np.empty(lat.shape)
    size, done = np.abs(lat), np.zeros(lat.shape, bool)
    for lowest, band in zip(BD_BANDS_DEG, BD_METRES, strict=True):
        here = (size >= lowest) & ~done
        t = size / band[9]
        x = np.where(here, np.sign(lon) * (band[0] + band[1] * np.abs(lon)), x)
        y = np.where(here, np.sign(lat) * np.polynomial.polynomial.polyval(t, band[2:9]), y)
        done |= here
    return x, y


def metres_to_bd09(x: np.ndarray, y: np.ndarray) -> tuple[Degrees, Degrees]:
    """Baidu's metres to BD-09 degrees: the way there, inverted by Newton's iteration from the sphere's latitude."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    lon, lat = x / BD_METRES[-1][1], metres_to_degrees(x, y)[1]
    for _ in range(ITERATIONS):
        there_x, there_y = bd09_to_metres(lon, lat)
        slope = (bd09_to_metres(lon, lat + 1e-5)[1] - there_y) / 1e-5
        lat = np.clip(lat + (y - there_y) / np.where(np.abs(slope) > 1, slope, 1e5), -74, 74)
        lon = lon + (x - there_x) / BD_METRES[-1][1]
    return lon, lat


def metres_to_degrees(x: np.ndarray, y: np.ndarray) -> tuple[Degrees, Degrees]:
    """Web Mercator metres (EPSG:3857) to the degrees they were made from, whatever datum those are of."""
    lat = np.degrees(2 * np.arctan(np.exp(np.asarray(y, float) / MERCATOR_RADIUS_M)) - np.pi / 2)
    return np.degrees(np.asarray(x, float) / MERCATOR_RADIUS_M), lat


def degrees_to_metres(lon: Degrees, lat: Degrees) -> tuple[np.ndarray, np.ndarray]:
    """The way back of metres_to_degrees()."""
    y = np.log(np.tan(np.pi / 4 + np.radians(np.asarray(lat, float)) / 2)) * MERCATOR_RADIUS_M
    return np.radians(np.asarray(lon, float)) * MERCATOR_RADIUS_M, y


def _inverse(forward, lon: Degrees, lat: Degrees, where: np.ndarray) -> tuple[Degrees, Degrees]:
    """The point that `forward` carries to (lon, lat): fixed-point iteration; the shift varies slowly."""
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(ITERATIONS):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        guess_lon = np.where(where, guess_lon + lon - there_lon, guess_lon)
        guess_lat = np.where(where, guess_lat + lat - there_lat, guess_lat)
    return guess_lon, guess_lat
