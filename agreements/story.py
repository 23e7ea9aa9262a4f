"""The story of a case as its page tells it: what has been, what is now, what is to come, and what a clock will do."""

from collections.abc import Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.wording import verb_text
from agreements import states
from agreements.models import CaseStep, Offer, ShareRequest, Signature
from agreements.states import Side
from agreements.step_inputs import given_words

State = ShareRequest.State


def _step(label: str, at=None, state: str = "done", note: str = "") -> dict[str, Any]:
    return {"label": label, "at": at, "state": state, "note": note}


def _party(case: ShareRequest, side: Side) -> str:
    if side == Side.BUREAU:
        return _("the bureau")
    return case.requester.name if side == Side.REQUESTER else case.owner.name


def party_names(case: ShareRequest, sides: set[Side]) -> str:
    return ", ".join(_party(case, side) for side in (Side.OWNER, Side.REQUESTER, Side.BUREAU) if side in sides)


STEPS_SHOWN = 40  # a page of hundreds is slow to make and to read; the rest is one click away


def folded(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """(the first and the latest of a long story, how many lie between them)"""
    hidden = len(rows) - STEPS_SHOWN - 1
    if hidden < 2:
        return rows, 0
    between = ngettext("%(count)d step in between", "%(count)d steps in between", hidden) % {"count": hidden}
    return [rows[0], _step(between), *rows[-STEPS_SHOWN:]], hidden


def timeline(case: ShareRequest, offers: Sequence[Offer], signatures: Sequence[Signature]) -> list[dict[str, Any]]:
    """What has been, what is now and what is to come, as _components/timeline.html takes it."""
    steps = [_step(_("Requested; capacity held"), case.submitted_at, note=case.requester.name)]
    shown = list(offers) if len(offers) <= 4 else [offers[0], *offers[-2:]]
    for offer in shown:
        if len(offers) > 4 and offer is offers[-2]:
            steps.append(_step(_("%(count)d further versions") % {"count": len(offers) - 3}, offer.created_at))
        label = _("Offer v%(number)d") % {"number": offer.number}
        steps.append(_step(label, offer.created_at, note=f"{offer.organisation.name} · {offer.get_state_display()}"))
    accepted = next((offer for offer in offers if offer.state == Offer.State.ACCEPTED), None)
    if accepted:
        steps.append(_step(_("Terms agreed"), accepted.answered_at))
    for signature in signatures:
        label = _("Signed for %(organisation)s") % {"organisation": signature.organisation.name}
        steps.append(_step(label, signature.signed_at, note=signature.signer_name))
    taken = list(case.steps.all())
    is_over = case.state in ShareRequest.ENDED
    given: list[str] = []
    if is_over and taken and taken[-1].state == case.state:
        last = taken.pop()  # the end itself is told below
        given = given_words(last.verb, last.data)
    agreement = getattr(case, "agreement", None)
    if agreement and agreement.signed_at:
        steps.append(_step(_("In force; capacity reserved"), agreement.signed_at))
    steps += [_taken(step) for step in taken]
    steps.sort(key=lambda row: row["at"].timestamp() if row["at"] else 0.0)  # stable: equal times stay in order
    if not is_over:
        return steps + _to_come(case)
    note = case.get_refusal_code_display() if case.refusal_code else ""
    return [
        *steps,
        _step(
            str(case.get_state_display()),
            case.closed_at,
            "done",
            " · ".join(filter(None, [note, *given, case.closing_note])),
        ),
    ]


def _taken(step: CaseStep) -> dict[str, Any]:
    """A step of the story: who did what, with what was said and given."""
    who = step.organisation.name if step.organisation else ""
    return _step(capfirst(verb_text(f"request.{step.verb}")), step.made_at, note=" · ".join(
        filter(None, [who, *given_words(step.verb, step.data), step.note])
    ))  # fmt: skip


AFTER: dict[str, tuple[Any, ...]] = {
    State.SUBMITTED: (
        gettext_lazy("Completeness check by the owner"),
        gettext_lazy("Survey and verdict"),
        gettext_lazy("Offers"),
    ),
    State.INCOMPLETE: (gettext_lazy("What is missing is handed in"), gettext_lazy("Completeness check by the owner")),
    State.ACCEPTED: (gettext_lazy("Survey and technical verdict"), gettext_lazy("Offers")),
    State.SURVEYING: (gettext_lazy("Findings and technical verdict"), gettext_lazy("Offers")),
    State.ASSESSED: (gettext_lazy("First offer by the owner"), gettext_lazy("Terms agreed")),
    State.NEGOTIATING: (gettext_lazy("Answer to the offer"), gettext_lazy("Terms agreed")),
    State.AGREED: (gettext_lazy("Signatures"), gettext_lazy("In force; capacity reserved")),
    State.ON_HOLD: (gettext_lazy("On hold: the clock stands still"),),
    State.ESCALATED: (gettext_lazy("Proposal or decision by the bureau"),),
    State.SIGNED: (
        gettext_lazy("Make-ready by the owner, or works at once"),
        gettext_lazy("Acceptance"),
        gettext_lazy("Operation"),
    ),
    State.MAKE_READY: (gettext_lazy("Make-ready"), gettext_lazy("Works"), gettext_lazy("Acceptance")),
    State.BUILDING: (gettext_lazy("Works"), gettext_lazy("Acceptance"), gettext_lazy("Operation")),
    State.INSPECTING: (gettext_lazy("Acceptance by the checklist"), gettext_lazy("Operation")),
    State.RECTIFYING: (gettext_lazy("Rectification"), gettext_lazy("Acceptance again"), gettext_lazy("Operation")),
    State.OPERATING: (gettext_lazy("In operation"), gettext_lazy("End of the period")),
    State.LEAVING: (gettext_lazy("Notice runs"), gettext_lazy("Capacity free again")),
    State.MEDIATED: (
        gettext_lazy("Answers to the bureau's proposal"),
        gettext_lazy("Offer, or decision by the bureau"),
    ),
}


def _to_come(case: ShareRequest) -> list[dict[str, Any]]:
    who = party_names(case, states.waiting_for(case))
    note = _("Waiting for %(organisation)s") % {"organisation": who} if who else ""
    now, *rest = AFTER[case.state]
    if case.state in (State.SUBMITTED, State.ASSESSED, State.NEGOTIATING):
        rest = [*rest, _("Signed by both sides")]
    return [_step(str(now), state="current", note=note), *(_step(str(label), state="todo") for label in rest)]


# What happens when the clock of a state runs out, by the verb the clock moves it with.
TIME_OUT: dict[str, Any] = {
    "expire": gettext_lazy("then the request ends and what is held is free again"),
    "deem_complete": gettext_lazy("then the request counts as complete"),
    "escalate_late": gettext_lazy("then the case goes to the bureau, and the hold stays"),
    "resume_late": gettext_lazy("then the request goes on by itself"),
    "remind_bureau": gettext_lazy("then the bureau is reminded, and the clock starts anew"),
    "proposal_lapses": gettext_lazy("then the proposal lapses and the bureau decides"),
    "lapse_unused": gettext_lazy("then what is reserved lapses unused and is free again"),
    "remind_works": gettext_lazy("then both sides are reminded, and the clock starts anew"),
    "remind_acceptance": gettext_lazy("then both sides are reminded, and the clock starts anew"),
    "remind_rectify": gettext_lazy("then both sides are reminded, and the clock starts anew"),
    "term_ends": gettext_lazy("then the agreed period is over and the capacity is free again"),
    "notice_ends": gettext_lazy("then the notice takes effect and the capacity is free again"),
}


def time_out_words(case: ShareRequest) -> str:
    """What happens when the running clock runs out; "" where none runs."""
    moves = states.TRANSITIONS[case.state]
    verb = next((verb for verb, move in moves.items() if move.cause == states.Cause.CLOCK), "")
    return str(TIME_OUT.get(verb, ""))
