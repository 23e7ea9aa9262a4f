"""Drawings of a run's figures for the page: numbers of bars and lines, ready for SVG. Pure: no queries."""

from collections.abc import Mapping
from typing import Any

from . import wording

WIDTH, HEIGHT = 300.0, 90.0
CURVES_MOST = 4
MEASURED = (
    "distance",
    "price",
    "dates",
    "height",
    "bore",
    "power",
    "quantity",
)  # give way by degrees


def bindings(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{"name", "label", "lines", "pct"}]: what stands in the way of the unmet lines, most first; pct of all unmet."""
    counts = {name: count for name, count in figures.get("bindings", {}).items() if count}
    total = sum(counts.values())
    return [
        {"name": name, "label": wording.binding_label(name), "lines": count, "pct": round(100 * count / total, 2)}
        for name, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


def curves(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{"label", "points", "rows", "most", "lines"}]: how many lines are freed as a criterion gives way, as a polyline
    in a box of WIDTH × HEIGHT and as rows (how far, lines); those that free most first, of more than one step."""
    result = []
    steps = [s for s in figures.get("relaxations", []) if s["criterion"] in MEASURED and len(s.get("curve", [])) > 1]
    for step in sorted(steps, key=lambda s: -s["lines"])[:CURVES_MOST]:
        farthest, lines = step["curve"][-1]
        at, path = 0.0, [(0.0, HEIGHT)]
        for size, count in step["curve"]:
            x = WIDTH * size / (farthest or 1)
            path += [(x, HEIGHT - HEIGHT * at / lines), (x, HEIGHT - HEIGHT * count / lines)]
            at = count
        result.append(
            {
                "name": step["criterion"],
                "label": wording.CRITERION_LABELS[step["criterion"]],
                "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in path),
                "rows": [{"size": wording.size_text(step["criterion"], size), "lines": n} for size, n in step["curve"]],
                "most": wording.size_text(step["criterion"], farthest),
                "lines": lines,
            }  # fmt: skip
        )
    return result
