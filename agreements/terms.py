"""The agreed terms in both languages, frozen as JSON, and their hash. No queries beyond what is passed in."""

import datetime as dt
import hashlib
import json
from decimal import Decimal
from typing import Any

from accounts.models import Organisation
from listings.models.resources import Disclosure

from .clauses import BY_MODE, KINDS, LIBRARY_VERSION, UNIT_NAMES, Text, quantity_words
from .models import Offer, RequestItem, ShareRequest
from .periods import last_day
from .pricing import PriceLine, worked_price
from .sheets.clauses import settled
from .sheets.draft import sheet_of
from .sheets.prices import ROUNDING_WORDS, SCHEME_WORDS

TERMS_VERSION = 2  # 2: price scheme with its working, clauses from the term sheet


def digest(terms: dict[str, Any]) -> str:
    """SHA-256 (hex) of the terms in canonical JSON: keys sorted, no spaces, UTF-8."""
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def money(fen: int) -> str:
    """1234550 → "¥12,345.50": as written in documents, in every language."""
    return f"¥{Decimal(fen) / 100:,.2f}"


def number(value: Decimal) -> str:
    """Without trailing zeros: "2", "3.5"."""
    return f"{value.normalize():f}"


def frozen_terms(
    request: ShareRequest, offer: Offer, items: list[RequestItem], *, reference: str, agreed_on: dt.date
) -> dict[str, Any]:
    """Everything that is agreed, as JSON values; what a reader of the document needs, and nothing of exact places."""
    resource, sheet = request.resource, sheet_of(offer)
    quantities = {int(pool_id): Decimal(q) for pool_id, q in offer.quantities.items()}
    chosen = [item for item in items if quantities.get(item.pool_id)]
    return _change(request) | {
        "version": TERMS_VERSION,
        "clauses_version": LIBRARY_VERSION,
        "reference": reference,
        "request": request.code,
        "offer": offer.number,
        "agreed_on": agreed_on.isoformat(),
        "purpose": request.purpose,
        "parties": [_party("owner", request.owner), _party("requester", request.requester)],
        "object": {
            "id": resource.pk,
            "code": resource.code,
            # The owner's own code tells the place as co-ordinates do: it goes with the exact place.
            "owner_code": resource.owner_code if resource.disclosure == Disclosure.EXACT else "",
            "name": resource.name,
            "kind": resource.kind,
            "kind_name": KINDS[resource.kind].as_json(),
            "region": _region(resource.region),
        },
        "items": [_item(item, quantities[item.pool_id]) for item in chosen],
        "mode": {"code": sheet.mode, **BY_MODE[sheet.mode][0].title.as_json()} if sheet.mode else None,
        "price": _price(request, offer, chosen, quantities) | _scheme(sheet.scheme, sheet.working),
        "period": {
            "starts_on": offer.starts_on.isoformat(),
            "ends_on": last_day(offer.starts_on, offer.months).isoformat(),
            "months": offer.months,
        },
        "note": offer.note,
        "line": _line(request),
        "clauses": settled(sheet.clauses),
    }


def _change(request: ShareRequest) -> dict[str, Any]:
    """Which agreement this one amends or renews, with the hash of its text; nothing for one of its own."""
    if request.amends is None:
        return {}
    before = request.amends
    return {"amends": {"change": request.change, "reference": before.reference, "terms_sha256": before.terms_sha256}}


def _region(region: Any) -> dict[str, str]:
    return {"code": region.code, "zh": region.name_zh, "en": region.name_en or region.name_zh}


def _party(side: str, organisation: Organisation) -> dict[str, Any]:
    return {
        "side": side,
        "id": organisation.pk,
        "name": {"zh": organisation.name_zh, "en": organisation.name_en or organisation.name_zh},
        "uscc": organisation.uscc,
        "region": _region(organisation.region),
    }


def _item(item: RequestItem, quantity: Decimal) -> dict[str, Any]:
    pool = item.pool
    return {
        "pool": pool.pk,
        "unit": pool.unit,
        "label": pool.label,
        "name": UNIT_NAMES[pool.unit].as_json(),
        "quantity": number(quantity),
        "text": quantity_words(number(quantity), pool.unit).as_json(),
        "height_m": number(pool.height_m) if pool.height_m is not None else None,
        "bore_mm": number(pool.bore_mm) if pool.bore_mm is not None else None,
    }


def _price(
    request: ShareRequest, offer: Offer, chosen: list[RequestItem], quantities: dict[int, Decimal]
) -> dict[str, Any]:
    """The agreed price, the sum over the period (pro rata to the month, rounded half up to the fen), and how the
    owner's published price would have come out for the same quantities."""
    fen = offer.price_fen_per_year
    total = int((Decimal(fen) * offer.months / 12).quantize(Decimal(1), "ROUND_HALF_UP"))
    published = worked_price(request.resource, quantities, [item.pool for item in chosen])
    return {
        "fen_per_year": fen,
        "total_fen": total,
        "tax": "included",
        # an amendment's price runs from its signature: the whole period would be a sum nobody pays
        "sum": "" if request.is_amendment else f"{money(fen)} × {offer.months} / 12 = {money(total)}",
        "published_fen_per_year": published.fen_per_year,
        "published": [_published(line).as_json() for line in published.lines],
    }


def _scheme(scheme: str, working: dict[str, Any]) -> dict[str, Any]:
    """How the price came about, in both languages; nothing for offers made before there were schemes."""
    if not working:
        return {}
    kept = {name: working[name] for name in ("formula", "inputs", "note", "index")}
    figures = working["tax"]
    return {
        "scheme": {"code": scheme, **SCHEME_WORDS[scheme].as_json()},
        "working": kept | {"rounding": ROUNDING_WORDS.as_json()},
        "tax": "added" if figures["is_added"] else "included",
        "tax_figures": figures,
    }


def _published(line: PriceLine) -> Text:
    label, name = line.pool.label, UNIT_NAMES[line.pool.unit]
    words = quantity_words(number(line.quantity), line.pool.unit)
    zh = f"{label or name.zh}：{words.zh}"
    en = f"{label or name.en}: {words.en}"
    if line.pool.price_fen_per_unit_year is None or line.fen is None:
        return Text(f"{zh}，公布价为面议", f"{en}, published as to be negotiated")
    each = money(line.pool.price_fen_per_unit_year)
    km = f" × {number(line.km)} km" if line.km is not None else ""
    return Text(f"{zh} × {each}{km} = {money(line.fen)}/年", f"{en} × {each}{km} = {money(line.fen)} a year")


def _line(request: ShareRequest) -> dict[str, Any] | None:
    line = request.line
    if line is None:
        return None
    return {"list": line.demand_list.reference, "number": line.number, "title": line.title}
