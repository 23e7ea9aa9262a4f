"""What a verdict tells as packed bytes instead of JSON, worded when read (docs/adr/0105); rows that stand are packed.

The layout is version 1 of core/told.py, written out here so that it stays what it was. Two indexes go that others hold.
"""

import datetime as dt
import json
import struct

import django.db.models.deletion
from django.db import connection, migrations, models

CRITERIA = (
    "distance", "sector", "sharing_mode", "own", "lifecycle", "condition", "papers", "height", "bore", "cable", "dates",
    "quantity", "room", "power", "price",
)  # fmt: skip
PLAIN = ("sector", "sharing_mode", "own", "lifecycle", "condition", "papers")  # told without figures
COLUMNS = [
    (name, label)
    for name in CRITERIA
    if name not in PLAIN
    for label in ("margin", "asked", "found", *(["asked_max"] if name == "height" else []))
]
NO_DAY = -(2**31)
CHUNK = 2_000


def packed(verdict, reasons, alternatives):
    """Version 1 of a verdict's bytes, from the JSON it was kept as."""
    first, steps, more = [], [], None
    if verdict == "unmet":
        told = reasons[0] if reasons else {"nearest": None, "relaxations": []}
        first = [told["nearest"]] if told["nearest"] else []
        steps = told["relaxations"]
        more = {"route": told["route"]} if "route" in told else None
    elif any(reason["criterion"] == "route" for reason in reasons):
        more = reasons
    else:
        first = [{"resource": 0, "cost_fen_per_year": None, "reasons": reasons}]
    tail = json.dumps(more, separators=(",", ":")).encode() if more is not None else b""
    records = [*first, *alternatives]
    opening = struct.pack("<BBBBI", 1, 1 if first else 0, len(records), len(steps), len(tail))
    return opening + b"".join(map(_record, records)) + b"".join(map(_step, steps)) + tail


def _record(record):
    known = asked = ok = 0
    figures = b""
    by_name = {reason["criterion"]: reason for reason in record["reasons"]}
    for number, name in enumerate(CRITERIA):
        asked |= (name in by_name) << number
        ok |= bool(by_name.get(name, {}).get("ok")) << number
    for column, (name, label) in enumerate(COLUMNS):
        value = by_name.get(name, {}).get(label)
        if value is not None:
            known |= 1 << column
            figures += struct.pack("<d", value)
    cost, score = record["cost_fen_per_year"], record.get("score")
    nan = float("nan")
    head = struct.pack(
        "<qQHHfd", record["resource"], known, asked, ok, nan if score is None else score, nan if cost is None else cost
    )
    return head + figures


def _step(step):
    since = NO_DAY
    if "from" in step:
        since = (dt.date.fromisoformat(step["from"]) - dt.date(1970, 1, 1)).days
    cost = step["cost_fen_per_year"]
    return struct.pack(
        "<iiqddd", CRITERIA.index(step["criterion"]), since, step["resource"], step["delta"], step["distance_m"],
        float("nan") if cost is None else cost,
    )  # fmt: skip


def pack_rows(apps, schema_editor):
    MatchResult = apps.get_model("matching", "MatchResult")
    last = 0
    while True:
        rows = MatchResult.objects.filter(pk__gt=last).order_by("pk")[:CHUNK]
        values = []
        for row in rows:
            binding = row.reasons[0].get("binding", "") if row.verdict == "unmet" and row.reasons else ""
            values.append((row.pk, packed(row.verdict, row.reasons, row.alternatives), binding))
        if not values:
            return
        last = values[-1][0]
        keys, told, bindings = zip(*values, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE matching_matchresult m SET told = v.told, binding = v.binding"
                " FROM unnest(%s::bigint[], %s::bytea[], %s::text[]) AS v (id, told, binding) WHERE m.id = v.id",
                [list(keys), list(told), list(bindings)],
            )


class Migration(migrations.Migration):
    dependencies = [("matching", "0080_again")]
    operations = [
        migrations.AddField("matchresult", "binding", models.CharField(blank=True, max_length=12, default=""), False),
        migrations.AddField("matchresult", "told", models.BinaryField(blank=True, default=bytes)),
        migrations.RunPython(pack_rows, elidable=True),
        migrations.RemoveField("matchresult", "reasons"),
        migrations.RemoveField("matchresult", "alternatives"),
        migrations.AlterField(
            "matchresult",
            "run",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="results",
                to="matching.matchrun",
            ),
        ),
        migrations.AlterField(
            "allocation",
            "result",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="allocations",
                to="matching.matchresult",
            ),
        ),
    ]
