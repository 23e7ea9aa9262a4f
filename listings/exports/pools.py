"""The pools of a resource as columns of one flat row, in SQL: `p` beside the source's row `s`."""

from django.utils.translation import gettext as _

from listings.exports.columns import POOL_COLUMNS, quoted
from listings.models.capacity import Unit

FLAT_MOST = 9  # platforms that one cell names "P1/P2/…"


def _words_sql() -> str:
    """One pool in words: "P1 35 m: 2 of 3 positions free, 12000 yuan a year"."""
    units = " ".join(f"WHEN {quoted(value)} THEN {quoted(str(label))}" for value, label in Unit.choices)
    height = "trim_scale(height_m) || coalesce('–' || trim_scale(height_top_m), '') || ' m'"
    name = f"concat_ws(' ', nullif(label, ''), {height}, 'Ø ' || trim_scale(bore_mm) || ' mm')"
    told = _("%(free)s of %(total)s %(unit)s free")
    numbers = {
        "free": "' || trim_scale(free) || '",
        "total": "' || trim_scale(total) || '",
        "unit": f"' || CASE unit {units} ELSE unit END || '",
    }
    text = quoted(told).replace("%(free)s", numbers["free"]).replace("%(total)s", numbers["total"])
    text = text.replace("%(unit)s", numbers["unit"])
    price = _("%(price)s yuan a year")
    yuan = quoted(f", {price}").replace("%(price)s", "' || trim_scale(price_fen_per_unit_year / 100.0) || '")
    return f"concat_ws(': ', nullif({name}, ''), {text} || coalesce({yuan}, ''))"


_ONE_PRICE = (
    "min(price_fen_per_unit_year) IS NOT DISTINCT FROM max(price_fen_per_unit_year)"
    " AND count(price_fen_per_unit_year) IN (0, count(*))"
)
_PLAIN = "count(*) = 1 AND min(label) = ''"


def _sum(name: str, unit: str = "") -> str:
    only = f" FILTER (WHERE unit = {quoted(unit)})" if unit else ""
    return f"trim_scale(sum({name}){only})"


def _yuan(unit: str = "") -> str:
    only = f" FILTER (WHERE unit = {quoted(unit)})" if unit else ""
    return f"trim_scale(min(price_fen_per_unit_year){only} / 100.0)"


def _parts(kind: str) -> tuple[str, dict[str, str]]:
    """(condition under which a flat row says it all, {column: aggregate}). Over pools from the highest down."""
    if kind == "tower":
        names = "/".join(f"P{i}" for i in range(1, FLAT_MOST + 1))
        labels = f"string_agg(label, '/') = left({quoted(names)}, 3 * count(*)::int - 1) AND count(height_m) = count(*)"
        flat = (
            f"count(*) <= {FLAT_MOST} AND bool_and(unit = 'position' AND bore_mm IS NULL)"
            f" AND count(height_top_m) IN (0, count(*)) AND {_ONE_PRICE}"
            f" AND ({labels} OR ({_PLAIN} AND count(height_m) = 0))"
        )
        return flat, {
            "platform_heights_m": "string_agg(trim_scale(height_m)::text, '/')",
            "platform_tops_m": "string_agg(trim_scale(height_top_m)::text, '/')",
            "positions_total": "string_agg(trim_scale(total)::text, '/')",
            "positions_in_use": "string_agg(trim_scale(in_use)::text, '/')",
            "price_yuan": _yuan(),
        }
    if kind == "room":
        flat = "count(*) = 2 AND count(DISTINCT unit) = 2 AND bool_and(unit IN ('rack_u', 'kw') AND label = '')"
        return flat, {
            "rack_u_total": _sum("total", "rack_u"),
            "rack_u_in_use": _sum("in_use", "rack_u"),
            "kw_total": _sum("total", "kw"),
            "kw_in_use": _sum("in_use", "kw"),
            "price_yuan": _yuan("rack_u"),
            "price_yuan_kw": _yuan("kw"),
        }
    prefix = "bores" if kind == "duct" else "cores"
    same_bore = " AND min(bore_mm) IS NOT DISTINCT FROM s.f_inner_mm" if kind == "duct" else ""
    return _PLAIN + same_bore, {
        f"{prefix}_total": _sum("total"),
        f"{prefix}_in_use": _sum("in_use"),
        "price_yuan": _yuan(),
    }


def pools_sql(kind: str) -> str:
    """The LATERAL join that gives p.<column of POOL_COLUMNS[kind]> and p.words for the source row s."""
    flat, parts = _parts(kind)
    assert tuple(parts) == POOL_COLUMNS[kind]
    columns = ", ".join(f"CASE WHEN {flat} THEN {sql} END AS {name}" for name, sql in parts.items())
    return (
        f"LEFT JOIN LATERAL (SELECT {columns}, string_agg(words, '; ') AS words FROM ("
        "SELECT unit, label, height_m, height_top_m, bore_mm, total, in_use, price_fen_per_unit_year,"
        f" {_words_sql()} AS words"
        " FROM listings_capacitypool WHERE resource_id = s.id ORDER BY height_m DESC NULLS LAST, id"
        " OFFSET 0) AS one) AS p ON true"
    )
