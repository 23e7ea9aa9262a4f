"""Routes over a made-up network of 400,000 edges, and pgr_dijkstra one by one over the same edges."""

import time

import numpy as np
import shapely

EDGES = 400_000


def grid(edges: int, seed: int = 1):
    """A street grid with shaken crossings and a tenth of its streets missing, owned by five in patches.

    (shapes, owner, price): lines of 80–150 m, in metres.
    """
    rng = np.random.default_rng(seed)
    side = int(np.sqrt(edges / 1.8)) + 1
    x, y = np.meshgrid(np.arange(side) * 110.0, np.arange(side) * 110.0)
    place = np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-20, 20, (side * side, 2))
    number = np.arange(side * side).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    keep = np.sort(rng.permutation(len(a))[:edges])
    a, b = a[keep], b[keep]
    owner = (place[a, 0] // 4_000 + 3 * (place[a, 1] // 4_000)).astype(int) % 5
    shapes = shapely.linestrings(np.stack([place[a], place[b]], axis=1))
    return shapes, owner, rng.uniform(50_000, 150_000, len(a))


def measure(routes: int, peer_routes: int, say) -> tuple[float, float, int]:
    """(ours ms a route over the whole list, pgr_dijkstra ms a route, edges)."""
    from matching.core.network import Terms, build
    from matching.core.routing import Asked, Router, route_all

    shapes, owner, price = grid(EDGES)
    terms = Terms(gaps_per_node=0)
    began = time.monotonic()
    network = build(
        list(shapes), owner=owner, capacity=np.full(len(shapes), 24.0), price_fen_per_unit_km=price,
        is_planned=np.zeros(len(shapes), bool), may_join=np.ones(len(shapes), bool), terms=terms,
    )  # fmt: skip
    say(f"  network of {len(network.a)} edges built in {time.monotonic() - began:.1f} s (once per run)")
    rng = np.random.default_rng(2)
    ends = rng.integers(0, len(network.place), routes)
    start = network.place[ends]
    # The other end lies 1–8 km away, as connections asked for in one city do.
    angle, far = rng.uniform(0, 2 * np.pi, routes), rng.uniform(1_000, 8_000, routes)
    span = network.place.max(axis=0)
    end = np.clip(start + np.stack([np.cos(angle), np.sin(angle)], axis=1) * far[:, None], 0, span)
    began = time.monotonic()
    router = Router(network, terms)
    paths = route_all(router, Asked(start, end, np.full(routes, 4.0), rng.integers(1, 4, routes)))
    ours = (time.monotonic() - began) * 1000 / routes
    say(f"  {sum(p is not None for p in paths)} of {routes} routes found, {ours:.1f} ms each with shared capacity")
    return ours, _pgr(network, router, start[:peer_routes], end[:peer_routes], say), len(network.a)


def _pgr(network, router, start, end, say) -> float:
    """Milliseconds a route of pgr_dijkstra, one call each, undirected, over a table of the same edges."""
    import io

    from django.db import connection, transaction

    cost = network.fixed_fen + 4.0 * network.unit_fen
    table = np.stack([np.arange(len(cost)), network.a, network.b, np.maximum(cost, 1e-6)], axis=1)
    text = io.StringIO()
    np.savetxt(text, table, fmt=["%d", "%d", "%d", "%.3f"], delimiter="\t")
    text.seek(0)
    took = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pgrouting")
        cursor.execute(
            "CREATE TEMP TABLE bench_edges (id bigint, source bigint, target bigint, cost float8) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY bench_edges FROM STDIN", text)
        cursor.execute("ANALYZE bench_edges")
        for a, b in zip(start, end, strict=True):
            one, other = int(router.doors(a)[0][0]), int(router.doors(b)[0][0])
            began = time.monotonic()
            cursor.execute(
                "SELECT edge FROM pgr_dijkstra('SELECT id, source, target, cost FROM bench_edges', %s, %s, false)",
                [one, other],
            )
            cursor.fetchall()
            took.append(time.monotonic() - began)
    say(f"  pgr_dijkstra: {len(took)} calls, median {np.median(took) * 1000:.0f} ms")
    return float(np.mean(took) * 1000)
