"""The peer of bench/matching.py: what a planner's GeoPandas script does. Reads the lines and the published supply from
the same database, finds the candidates within each line's distance and with the quantity free, and writes them back.
No allocation, no reasons. Runs in an environment of its own; prints JSON."""

import io
import json
import sys
import time
import warnings

import geopandas
import numpy as np
import pandas as pd
import psycopg2

KINDS = ("tower", "duct", "cable", "room")
SUPPLY = """
SELECT r.id AS resource, r.owner_id AS owner,
       CASE WHEN r.disclosure = 'exact' THEN r.place ELSE r.shown_cell END AS place
  FROM listings_resource r WHERE r.kind = '{kind}' AND r.state = 'published' AND r.disclosure <> 'existence'
"""
POOLS = """
SELECT p.resource_id AS resource, p.id AS pool, (p.total - p.in_use - p.taken)::float8 AS free,
       p.price_fen_per_unit_year AS price FROM listings_capacitypool p WHERE p.unit = '{unit}'
"""
LINES = """
SELECT l.id AS line, l.applicant_id AS applicant, l.quantity, l.tolerance_m, l.place FROM listings_demandline l
 WHERE l.demand_list_id = {list} AND l.state = 'open' AND l.kind = '{kind}'
"""
UNITS = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}
METRES = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"  # equal areas, for China


def main() -> None:
    address, list_id = sys.argv[1], int(sys.argv[2])
    warnings.filterwarnings("ignore")
    began = time.monotonic()
    connection = psycopg2.connect(**json.loads(address))
    found = []
    for kind in KINDS:
        lines = geopandas.read_postgis(LINES.format(list=list_id, kind=kind), connection, geom_col="place", crs=4326)
        if lines.empty:
            continue
        supply = geopandas.read_postgis(SUPPLY.format(kind=kind), connection, geom_col="place", crs=4326)
        pools = pd.read_sql(POOLS.format(unit=UNITS[kind]), connection)
        lines, supply = lines.to_crs(METRES), supply.to_crs(METRES)
        pairs = geopandas.sjoin(lines, supply, predicate="dwithin", distance=lines["tolerance_m"].to_numpy())
        pairs["distance_m"] = pairs.geometry.distance(supply.geometry.loc[pairs["index_right"]], align=False)
        pairs = pairs.drop(columns="place").merge(pools, on="resource")
        fits = (pairs["free"] >= pairs["quantity"]) & (pairs["owner"] != pairs["applicant"])
        found.append(pairs.loc[fits, ["line", "resource", "pool", "distance_m", "price"]])
    table = pd.concat(found)
    text = io.StringIO()
    table.assign(distance_m=np.round(table["distance_m"], 1)).to_csv(text, index=False, header=False)
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_geopandas")
        cursor.execute(
            "CREATE TABLE bench_geopandas (line bigint, resource bigint, pool bigint, distance_m float8, price float8)"
        )
        cursor.copy_expert("COPY bench_geopandas FROM STDIN (FORMAT csv)", text)
    connection.commit()
    seconds = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_geopandas")
    connection.commit()
    sys.stdout.write(json.dumps({"seconds": seconds, "pairs": len(table), "version": geopandas.__version__}) + "\n")


if __name__ == "__main__":
    main()
