"""Demand lists around made-up supply, for bench/matching.py: stored, because the peers read them too, and removed."""

import contextlib
from collections.abc import Iterator

from django.db import connection

# Lines stand up to 300 m from a published resource of their kind. Half of them crowd round one resource in fifty drawn,
# so that capacity is short there. mixed: quantities, power, heights, ceilings, sectors; otherwise one unit each.
LINES = """
WITH drawn AS (
  SELECT r.id, r.kind,
         CASE WHEN ST_Dimension(r.place) = 0 THEN r.place ELSE ST_StartPoint(ST_GeometryN(r.place, 1)) END AS place,
         row_number() OVER (ORDER BY hashint8(r.id + %(seed)s)) AS nth
    FROM listings_resource r TABLESAMPLE SYSTEM ({pct}) REPEATABLE ({seed})
   WHERE r.state = 'published' AND r.disclosure = 'exact'
), counted AS (SELECT count(*) AS many FROM drawn), asked AS (
  SELECT n, CASE WHEN n %% 2 = 0 THEN 1 + n %% many ELSE 1 + (n / 50) %% many END AS nth,
         (hashint8(n + 17 * %(seed)s) & 1023) / 1023.0 AS one, (hashint8(n * 7 + %(seed)s) & 1023) / 1023.0 AS two,
         (hashint8(n * 31 + %(seed)s) & 1023) AS dice
    FROM generate_series(1, %(count)s) AS n, counted
)
INSERT INTO listings_demandline (demand_list_id, number, applicant_id, applicant_name, applicant_code, title, kind,
       quantity, power_kw, place, tolerance_m, height_min_m, bore_mm, months, priority, ceiling_fen_per_year, sectors,
       sharing_modes, notes, state, created_at, updated_at)
SELECT %(list)s, a.n, (%(applicants)s::bigint[])[1 + a.dice %% array_length(%(applicants)s::bigint[], 1)], '', '',
       '压测 ' || a.n, d.kind,
       CASE WHEN NOT %(mixed)s THEN 1 WHEN d.kind = 'cable' THEN 2 + a.dice %% 23
            WHEN d.kind = 'room' THEN 4 + a.dice %% 39
            ELSE 1 + a.dice %% 4 END,
       CASE WHEN %(mixed)s AND (d.kind = 'room' OR d.kind = 'tower' AND a.dice %% 4 = 0) THEN 1 + a.dice %% 6 END,
       ST_Translate(d.place, (a.one - 0.5) * 0.006, (a.two - 0.5) * 0.005), 500,
       CASE WHEN %(mixed)s AND d.kind = 'tower' AND a.dice %% 3 = 0 THEN 10 + a.dice %% 15 END,
       CASE WHEN %(mixed)s AND d.kind = 'duct' AND a.dice %% 3 = 0 THEN 28 + a.dice %% 40 END,
       60, 1 + a.dice %% 3, CASE WHEN %(mixed)s AND a.dice %% 2 = 0 THEN 500000 + a.dice * 5000 END,
       CASE WHEN %(mixed)s AND a.dice %% 5 = 0 THEN ARRAY['telecom', 'power'] ELSE ARRAY[]::varchar[] END, '{{}}', '',
       'open', now(), now()
  FROM asked a JOIN drawn d USING (nth)
"""


def make_list(count: int, *, mixed: bool, seed: int = 1) -> int:
    """Stores a public list with so many lines; gives its id."""
    from django.utils import timezone

    from accounts.models import Organisation, Region, User
    from accounts.models.organisations import Sector
    from accounts.uscc import check_character
    from listings.models import DemandList

    region = Region.objects.order_by("level", "pk").first()
    first = "11999999799999999"
    bureau, _ = Organisation.objects.get_or_create(
        uscc=first + check_character(first),
        defaults={"name_zh": "压测主管部门", "sector": Sector.values[0], "region": region, "is_bureau": True},
    )
    people = [User.objects.get_or_create(email=f"bench-{n}@example.org")[0] for n in (1, 2)]
    now = timezone.now()
    made = DemandList.objects.create(
        bureau=bureau, region=region, reference=f"bench-{'mixed' if mixed else 'unit'}-{count}-{now:%H%M%S%f}",
        title_zh="压测清单", batch="2026H2", state="in_force", submitted_by=people[0], submitted_at=now,
        published_by=people[1], published_at=now, notice_ends_at=now, in_force_at=now,
    )  # fmt: skip
    applicants = list(
        Organisation.objects.filter(resources__isnull=False, sector="telecom")
        .distinct()
        .order_by("pk")
        .values_list("pk", flat=True)[:5]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM listings_resource")
        supply = cursor.fetchone()[0]
        pct = min(100.0, max(0.01, 160.0 * count / max(1, supply)))
        cursor.execute(
            LINES.format(pct=f"{pct:.4f}", seed=int(seed)),
            {"list": made.pk, "count": count, "mixed": mixed, "seed": seed, "applicants": applicants},
        )
        cursor.execute("ANALYZE listings_demandline")
    return int(made.pk)


@contextlib.contextmanager
def lists(*asked: tuple[int, bool]) -> Iterator[list[int]]:
    """Lists of (lines, whether mixed), taken away again with their runs at the end."""
    made: list[int] = []
    try:
        for count, mixed in asked:
            made.append(make_list(count, mixed=mixed))
        yield made
    finally:
        remove(made)


def remove(made: list[int]) -> None:
    """The lists with all that hangs on them."""
    with connection.cursor() as cursor:
        runs = "SELECT id FROM matching_matchrun WHERE demand_list_id = ANY (%(lists)s)"
        results = f"SELECT id FROM matching_matchresult WHERE run_id IN ({runs})"
        for sql in (
            f"DELETE FROM matching_allocation WHERE result_id IN ({results})",
            f"DELETE FROM matching_route WHERE result_id IN ({results})",
            f"DELETE FROM matching_matchresult WHERE run_id IN ({runs})",
            "DELETE FROM matching_proposalparty WHERE proposal_id IN (SELECT id FROM matching_proposal WHERE run_id IN"
            f" ({runs}))",
            f"DELETE FROM matching_proposal WHERE run_id IN ({runs})",
            "DELETE FROM matching_matchrun WHERE demand_list_id = ANY (%(lists)s)",
            "DELETE FROM listings_demandline WHERE demand_list_id = ANY (%(lists)s)",
            "DELETE FROM listings_demandlist WHERE id = ANY (%(lists)s)",
        ):
            cursor.execute(sql, {"lists": made})
