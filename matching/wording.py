"""Verdicts and reasons as a person reads them, in the reader's language. Pure: no queries."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from listings.wording import distance_text, money_text, plain_number, quantity_text

UNIT_OF_KIND = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}

CRITERION_LABELS = {
    "distance": gettext_lazy("Distance"),
    "sector": gettext_lazy("Sector"),
    "sharing_mode": gettext_lazy("Sharing mode"),
    "own": gettext_lazy("Owner"),
    "lifecycle": gettext_lazy("Lifecycle"),
    "condition": gettext_lazy("Condition"),
    "papers": gettext_lazy("Papers"),
    "height": gettext_lazy("Height"),
    "bore": gettext_lazy("Inner diameter"),
    "cable": gettext_lazy("Cable diameter"),
    "dates": gettext_lazy("Dates"),
    "quantity": gettext_lazy("Quantity"),
    "room": gettext_lazy("Room at the site"),
    "power": gettext_lazy("Power"),
    "price": gettext_lazy("Price"),
    "route": gettext_lazy("Route"),
}

STAGE_LABELS = {
    "": gettext_lazy("Waiting for the worker"),
    "candidates": gettext_lazy("Finding what lies near"),
    "criteria": gettext_lazy("Checking every criterion"),
    "allocation": gettext_lazy("Allocating over the whole list"),
    "reasons": gettext_lazy("Writing the reasons"),
    "storing": gettext_lazy("Storing the run"),
    "routes": gettext_lazy("Looking for routes"),
    "proposals": gettext_lazy("Looking for what could be built together"),
    "done": gettext_lazy("Done"),
}

BINDING_LABELS = {
    "no_supply": gettext_lazy("Nothing of the kind within reach"),
    "contended": gettext_lazy("What fits went to other lines"),
}


def binding_label(name: str) -> Any:
    """What stands in the way of a line, in a few words; lazily translated."""
    return BINDING_LABELS.get(name) or CRITERION_LABELS[name]


_PLAIN_FAILURES = {
    "sector": gettext_lazy("its sector is not accepted by the line"),
    "sharing_mode": gettext_lazy("it is not offered in a sharing mode the line accepts"),
    "own": gettext_lazy("it is the applicant's own"),
    "lifecycle": gettext_lazy("it is not in service and has no date from which it will be"),
    "condition": gettext_lazy("its condition or its structure does not allow more load"),
    "papers": gettext_lazy("its design and acceptance papers are not complete"),
}


def _known(value: float | None, words: str) -> str:
    return words if value is not None else _("not known")


def criterion_text(reason: Mapping[str, Any], kind: str) -> str:
    """One criterion in words: "1 bore free, 2 asked" or "340 m away, 500 m allowed"."""
    name, asked, found = reason["criterion"], reason.get("asked"), reason.get("found")
    if name == "distance":
        return _("%(found)s away, %(asked)s allowed") % {
            "found": distance_text(found or 0),
            "asked": distance_text(asked or 0),
        }
    if name == "route":
        return _("a route of %(length)s over the lines of several owners") % {"length": distance_text(found or 0)}
    if name == "quantity":
        unit = UNIT_OF_KIND[kind]
        return _("%(found)s free, %(asked)s asked") % {
            "found": quantity_text(found or 0, unit),
            "asked": quantity_text(asked or 0, unit),
        }
    if name == "room":
        return _room_text(found, asked)
    if name == "power":
        found_text = _known(found, f"{plain_number(found or 0)} kW")
        return _("%(found)s of power free, %(asked)s kW asked") % {
            "found": found_text,
            "asked": plain_number(asked or 0),
        }
    if name == "height":
        return _height_text(reason)
    if name == "bore":
        found_text = _known(found, f"{plain_number(found or 0)} mm")
        return _("inner diameter %(found)s, at least %(asked)s mm asked") % {
            "found": found_text,
            "asked": plain_number(asked or 0),
        }
    if name == "cable":
        return _cable_text(found, asked)
    if name == "price":
        return _("%(found)s a year, ceiling %(asked)s") % {
            "found": money_text(int(found or 0)),
            "asked": money_text(int(asked or 0)),
        }
    if name == "dates":
        return _("free over the whole period") if reason["ok"] else _("%(days)s days short of the period asked") % {
            "days": plain_number(found or 0)
        }  # fmt: skip
    return _("accepted") if reason["ok"] else str(_PLAIN_FAILURES[name])


def _cable_text(found: float | None, asked: float | None) -> str:
    thick = plain_number(asked or 0)
    if found is None:
        return _("cable of %(asked)s mm, the diameter of its free bores is not known") % {"asked": thick}
    if not found:
        return _("cable of %(asked)s mm, not that many bores are empty") % {"asked": thick}
    return _("free bores take a cable of up to %(found)s mm, %(asked)s mm asked") % {
        "found": plain_number(found), "asked": thick,
    }  # fmt: skip


def _room_text(found: float | None, asked: float | None) -> str:
    asked_text = quantity_text(round(asked or 0), "rack_u")
    if found is None:
        return _("no published room at its site, %(asked)s asked") % {"asked": asked_text}
    return _("room: %(found)s free, %(asked)s asked") % {
        "found": quantity_text(int(found), "rack_u"),
        "asked": asked_text,
    }


def _height_text(reason: Mapping[str, Any]) -> str:
    found = reason.get("found")
    low, high = reason.get("asked"), reason.get("asked_max")
    if low is not None and high is not None:
        asked = _("%(low)s–%(high)s m asked") % {"low": plain_number(low), "high": plain_number(high)}
    elif high is not None:
        asked = _("at most %(high)s m asked") % {"high": plain_number(high)}
    else:
        asked = _("at least %(low)s m asked") % {"low": plain_number(low or 0)}
    return f"{_known(found, plain_number(found or 0) + ' m')}, {asked}"


def relaxation_text(step: Mapping[str, Any], kind: str) -> str:
    """What would have to give way: "+240 m", "+¥300 a year", "2 bores fewer"."""
    name, delta = step["criterion"], step["delta"]
    if name == "distance":
        return _("%(more)s farther") % {"more": distance_text(delta)}
    if name == "price":
        return _("%(more)s a year more") % {"more": money_text(int(delta))}
    if name == "quantity":
        return _("%(fewer)s fewer") % {"fewer": quantity_text(delta, UNIT_OF_KIND[kind])}
    if name == "room":
        return _("%(fewer)s fewer in the room") % {"fewer": quantity_text(delta, "rack_u")}
    if name == "power":
        return _("%(less)s kW less") % {"less": plain_number(delta)}
    if name == "height":
        return _("%(more)s m in height") % {"more": plain_number(delta)}
    if name == "bore":
        return _("%(less)s mm narrower") % {"less": plain_number(delta)}
    if name == "cable":
        return _("a cable %(less)s mm thinner") % {"less": plain_number(delta)}
    if name == "dates":
        if step.get("from"):
            return _("from %(day)s") % {"day": date_format(date.fromisoformat(step["from"]), "DATE_FORMAT")}
        return _("%(days)s days of patience") % {"days": plain_number(delta)}
    if name == "sector":
        return _("accept its sector")
    if name == "papers":
        return _("its papers completed")
    return _("accept its sharing mode")


def freed_text(step: Mapping[str, Any]) -> str:
    """How far a relaxation of the whole list would have to go, for half of the lines it frees and for all of them."""
    half, most = (size_text(step["criterion"], step[name]) for name in ("half", "all"))
    return _("half of them by %(half)s, all by %(all)s") % {"half": half, "all": most} if half else ""


def size_text(name: str, size: float) -> str:
    """How far a criterion gives way, with its unit; "" for those that give way or do not."""
    if name == "distance":
        return distance_text(size)
    if name == "price":
        return money_text(int(size))
    if name == "quantity":
        return ngettext("%(n)s unit", "%(n)s units", math.ceil(size)) % {"n": plain_number(size)}
    return FREED_UNITS[name] % {"n": plain_number(size)} if name in FREED_UNITS else ""


FREED_UNITS = {
    "room": gettext_lazy("%(n)s U"),
    "power": gettext_lazy("%(n)s kW"),
    "height": gettext_lazy("%(n)s m"),
    "bore": gettext_lazy("%(n)s mm"),
    "cable": gettext_lazy("%(n)s mm"),
    "dates": gettext_lazy("%(n)s days"),
}


def route_refusal(why: Mapping[str, Any]) -> str:
    """Why no route serves a connection, in one sentence."""
    if why["binding"] == "no_network":
        return _("No published line ends within %(limit)s of one of its ends.") % {
            "limit": distance_text(why["limit_m"])
        }
    if why["binding"] == "capacity":
        count = len(why["lacking"])
        return ngettext(
            "A way exists, but %(count)s line on it has too few units left.",
            "A way exists, but %(count)s lines on it have too few units left.",
            count,
        ) % {"count": count}
    if why["binding"] == "price":
        return _("The cheapest route costs %(found)s a year, the ceiling is %(asked)s.") % {
            "found": money_text(int(why["found"])),
            "asked": money_text(int(why["asked"])),
        }
    return _("No way leads from one end to the other.")


def unmet_text(reason: Mapping[str, Any], kind: str) -> str:
    """Why a line is unmet, in one sentence: what binds, the nearest thing, the nearest step that would help."""
    binding = reason["binding"]
    if binding == "no_supply":
        text = _("Nothing of this kind is published within reach.")
        return f"{text} {route_refusal(reason['route'])}" if reason.get("route") else text
    if binding == "contended":
        return _(
            "What fits went to other lines: there is not enough of it for all. The nearest is %(distance)s away."
        ) % {"distance": distance_text(reason["nearest"]["distance_m"])}
    failed = [r for r in reason["nearest"]["reasons"] if not r["ok"]]
    failed.sort(key=lambda r: r["criterion"] != binding)
    parts = "; ".join(criterion_text(r, kind) for r in failed)
    sentence = _("Closest fit, %(distance)s away: %(why)s.") % {
        "distance": distance_text(reason["nearest"]["distance_m"]),
        "why": parts,
    }
    if reason.get("route"):
        sentence += " " + route_refusal(reason["route"])
    steps = [step for step in reason["relaxations"] if step["criterion"] != "own"]
    if steps:
        options = _(" or ").join(relaxation_text(step, kind) for step in steps[:3])
        sentence += " " + _("It would be met with: %(options)s.") % {"options": options}
    return sentence


def met_text(reasons: Sequence[Mapping[str, Any]], kind: str) -> str:
    """Why a line is met, in one line: distance and quantity first."""
    wanted = {r["criterion"]: r for r in reasons}
    parts = [
        criterion_text(wanted[name], kind)
        for name in ("route", "distance", "quantity", "room", "power", "height", "cable", "price")
        if name in wanted
    ]
    return " · ".join(parts)


def came_or_went(*, is_new: bool, state: Any, is_duplicate: bool) -> str:
    """Why a line is in one run only."""
    if is_new:
        return _("The line was not matched then.")
    if is_duplicate:
        return _("It is marked as a duplicate: the need counts once.")
    return _("The line is no longer open: %(state)s.") % {"state": state.label}


def why_moved(
    *,
    change: str,
    is_touched: bool,
    is_old_still_fit: bool,
    was_new_fit: bool,
    kind: str,
    unmet: list[Mapping[str, Any]],
    is_changed_since: bool,
    has_other_parameters: bool,
) -> str:
    """Why a line is given something else than before: what changed for it, or who took what it had.

    is_touched: anything it could be given, or it itself, changed. is_old_still_fit: what it had still fits it;
    was_new_fit: what it has now fitted before. unmet: the reasons of the run that left it unmet, where one did.
    """
    parts = [_("The runs were asked for differently.")] if has_other_parameters else []
    if is_changed_since:
        parts.append(_("The line was changed since."))
    if not is_touched:
        parts.append(_("Nothing it could be given has changed: lines that compete with it have."))
    elif change == "newly_met":
        parts.append(
            _("What it has now fitted before.") if was_new_fit else _("What it has now did not fit, or was not there.")
        )
    elif change == "moved" and is_old_still_fit:
        parts.append(
            _("What it had still fits; over the whole list this serves more or fits better.")
            if was_new_fit
            else _("Something that fits better came.")
        )
    else:
        parts.append(_("What it had no longer fits, or is no longer there."))
    if change == "newly_met" and unmet:
        parts.append(_("Before: %(why)s") % {"why": unmet_text(unmet[0], kind)})
    elif change == "newly_unmet" and unmet:
        parts.append(unmet_text(unmet[0], kind))
    return " ".join(parts)
