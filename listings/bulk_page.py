"""What the page of an act on many resources shows: counts, reasons with their numbers, before → after. Reads only."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Organisation
from listings.facts import value_text
from listings.models import BulkJob, BulkRow, CapacityPool, Resource
from listings.models.resources import SharingMode
from listings.wording import money_text, plain_number

SAMPLE = 10
REASONS_SHOWN = 20


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


def counts(job: BulkJob) -> dict[str, int]:
    found = dict(job.rows.order_by().values_list("verdict").annotate(n=Count("pk")))
    return {verdict: found.get(verdict, 0) for verdict in BulkRow.Verdict.values}


def told(reason: dict[str, str]) -> str:
    """A kept sentence in the reader's language."""
    return reason.get(get_language() or "") or reason.get("zh-hans") or next(iter(reason.values()), "")


def reasons(job: BulkJob, *verdicts: str) -> list[tuple[str, int]]:
    """(sentence, how many), most first: why rows were refused or kept."""
    found: Counter[str] = Counter()
    rows = job.rows.filter(verdict__in=verdicts).order_by().values_list("reasons").annotate(n=Count("pk"))
    for sentences, n in rows:
        found[" ".join(told(sentence) for sentence in sentences) or "–"] += n
    return found.most_common(REASONS_SHOWN)


class Words:
    """before and after of rows in words; managers and pools of all of them looked up together."""

    def __init__(self, rows: Iterable[BulkRow]):
        self.rows = list(rows)
        sides = [side for row in self.rows for side in (row.before, row.after)]
        self.managers = Organisation.objects.in_bulk({side["manager_id"] for side in sides if side.get("manager_id")})
        ids = {int(pk) for side in sides for pk in side.get("prices", {})}
        self.pools = CapacityPool.objects.in_bulk(ids)

    def changes(self, row: BulkRow) -> list[Change]:
        found = []
        for name in row.after:
            if name == "prices":
                found += list(self._prices(row))
            elif name != "published_at":
                pair = [self._text(name, side.get(name)) for side in (row.before, row.after)]
                found.append(Change(self._label(name), *pair))
        return found

    def _prices(self, row: BulkRow) -> Iterator[Change]:
        for pk, fen in row.after["prices"].items():
            pool = self.pools.get(int(pk))
            unit = pool.label or pool.get_unit_display() if pool else ""
            label = _("Price per unit and year") + (f" · {unit}" if unit else "")
            yield Change(label, _price(row.before["prices"].get(pk)), _price(fen))

    def _label(self, name: str) -> str:
        return str(capfirst(Resource._meta.get_field(name.removesuffix("_id")).verbose_name))

    def _text(self, name: str, value: Any) -> str:
        if name == "manager_id":
            return self.managers[value].name if value in self.managers else str(_("the owner"))
        if name == "sharing_modes":
            return _(", ").join(str(SharingMode(mode).label) for mode in value or []) or str(_("none"))
        return value_text(Resource._meta.get_field(name), value) or str(_("empty"))


def _price(fen: int | None) -> str:
    if fen is None:
        return str(_("to be negotiated"))
    return money_text(fen) if fen else str(_("free"))


def worded(rows: Iterable[BulkRow]) -> list[tuple[BulkRow, list[Change], str]]:
    """(row, its changes, why) for a table."""
    words = Words(rows)
    return [(row, words.changes(row), " ".join(told(reason) for reason in row.reasons)) for row in words.rows]


def progress(job: BulkJob) -> dict[str, Any]:
    count_text = _("%(done)s of %(count)s rows") % {
        "done": plain_number(job.done_count), "count": plain_number(job.row_count),
    }  # fmt: skip
    pct = int(100 * job.done_count / job.row_count) if job.row_count else 0
    return {"pct": min(pct, 100), "stage": job.get_state_display(), "count_text": count_text}
