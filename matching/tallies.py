"""Whom a run serves: met and all lines by applicant, sector, region and kind. Kept: a finished run does not change."""

from typing import Any

from django.core.cache import cache
from django.db import connection

from .models import MatchRun

BY = {
    "applicant": """
      SELECT coalesce(o.name_zh, l.applicant_name), coalesce(o.name_en, ''), {counts} FROM {rows}
        LEFT JOIN accounts_organisation o ON o.id = l.applicant_id GROUP BY 1, 2 ORDER BY 4 DESC, 1""",
    "sector": """
      SELECT coalesce(o.sector, ''), '', {counts} FROM {rows}
        LEFT JOIN accounts_organisation o ON o.id = l.applicant_id GROUP BY 1 ORDER BY 4 DESC, 1""",
    "region": """
      SELECT coalesce(g.name_zh, ''), coalesce(g.name_en, ''), {counts} FROM {rows}
        LEFT JOIN LATERAL (SELECT name_zh, name_en FROM accounts_region g WHERE g.level = %(level)s
                              AND ST_Intersects(g.polygon, ST_PointOnSurface(l.place)) ORDER BY code LIMIT 1) g ON true
       GROUP BY 1, 2 ORDER BY 4 DESC, 1""",
    "kind": "SELECT l.kind, '', {counts} FROM {rows} GROUP BY 1 ORDER BY 4 DESC, 1",
}
COUNTS = "count(*) FILTER (WHERE m.verdict = 'met'), count(*)"
ROWS = "matching_matchresult m JOIN listings_demandline l ON l.id = m.line_id AND m.run_id = %(run)s"
ROWS_MOST = 40


def served(run: MatchRun) -> dict[str, list[dict[str, Any]]]:
    """{"applicant" | "sector" | "region" | "kind": [{"name_zh", "name_en", "met", "lines"}]}, most lines first."""
    result = cache.get(key := f"run-served:{run.pk}")
    if result is None:
        result = _count(run)
        cache.set(key, result, 86_400)
    return dict(result)


def _count(run: MatchRun) -> dict[str, list[dict[str, Any]]]:
    level = min(3, run.demand_list.region.level + 1)
    result = {}
    with connection.cursor() as cursor:
        for name, sql in BY.items():
            cursor.execute(sql.format(counts=COUNTS, rows=ROWS), {"run": run.pk, "level": level})
            rows = cursor.fetchall()[:ROWS_MOST]
            result[name] = [dict(zip(("name_zh", "name_en", "met", "lines"), row, strict=True)) for row in rows]
    return result
