"""How the steps of a case read: in its conversation and notifications, and in the audit log."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import wording as audit
from messaging.wording import register

from .models import ShareRequest
from .step_wording import STEPS

register("request.make", _("Request %(request)s: space asked for and held. Purpose: %(purpose)s"))
register("request.withdraw", _("The applicant withdrew the request; what was held is free again. %(note)s"))
register("request.expire", _("The clock ran out: the request has ended and what was held is free again."))
register(
    "offer.make",
    _("Offer v%(number)s: %(price)s a year for %(months)s months from %(starts_on)s; the hold lasts as long"),
)
register("offer.make_free", _("Offer v%(number)s: free of charge for %(months)s months from %(starts_on)s"))
register("offer.accept", _("Offer v%(number)s accepted; agreement %(reference)s is ready to be signed"))
register("agreement.sign", _("%(signer)s signed agreement %(reference)s"))
register("agreement.conclude", _("Agreement %(reference)s is signed by both sides; the capacity is reserved"))
register(
    "agreement.fall_short",
    _("Demand line %(number)s stays requested: what was agreed gives less than it asks for"),
)

for code, label in ShareRequest.Refusal.choices:
    register(f"request.refuse.{code}", format_lazy("{} {}. %(note)s", _("The owner refused the request:"), label))

for verb, said, done, told in STEPS:
    register(f"request.{verb}", said)
    audit.register(f"request.{verb}", done)
    register(f"notice.request.{verb}", told)
register("notice.request.warn", _("The clock of request %(request)s runs out soon"))

# Notifications: no place and no price; keyed "notice.…" because the conversation says more under the same verb.
register("notice.request.make", _("%(organisation)s asks for space: request %(request)s awaits your answer"))
register("notice.request.withdraw", _("%(organisation)s withdrew request %(request)s"))
register("notice.request.refuse", _("%(organisation)s refused request %(request)s"))
register("notice.request.expire", _("The clock of request %(request)s ran out; it has ended"))
register("notice.offer.make", _("%(organisation)s made an offer on request %(request)s: it awaits your answer"))
register("notice.offer.accept", _("Terms are agreed on request %(request)s: the agreement awaits signatures"))
register(
    "notice.agreement.sign",
    _("%(organisation)s signed the agreement of request %(request)s: your signature is awaited"),
)
register("notice.agreement.conclude", _("The agreement of request %(request)s is signed by both sides"))

audit.register("request.make", _("asked for space and held it"))
audit.register("request.withdraw", _("withdrew the request"))
audit.register("request.refuse", _("refused the request"))
audit.register("request.expire", _("ended the request: its clock ran out"))
audit.register("offer.make", _("made an offer"))
audit.register("offer.accept", _("accepted the offer"))
audit.register("swap.enter", _("entered cores into the swap ledger"))
audit.register("agreement.draw_up", _("drew up the agreement"))
audit.register("agreement.sign", _("signed the agreement"))
audit.register("agreement.conclude", _("concluded the agreement with the last signature"))
audit.register("agreement.void", _("made the agreement void"))
audit.register("agreement.write_pdf", _("wrote the agreement's PDF"))

audit.register("agreement.finish", _("ended the agreement"))
audit.register("case_document.add", _("added a document of the works"))
audit.register("acceptance.record", _("recorded an acceptance"))

audit.register("build_check.certify", _("took a certificate of a duplicate-build check"))
audit.register("build_check.write_pdf", _("the certificate was written"))

audit.register("request.recount_clock", _("the clock was counted anew"))
register("request.recount_clock", _("The clock of %(request)s now runs until %(until)s: %(reason)s"))

register("notice.queue.join", _("%(organisation)s waits in the queue for %(resource)s"))
register("notice.queue.offer", _("Your turn has come: capacity of %(resource)s is kept for you, take it up in time"))
register("notice.queue.pass", _("The offer from the queue for %(resource)s ran out; it goes to the next"))
audit.register("queue.join", _("joined the queue"))
audit.register("queue.offer", _("offered capacity to the first in the queue"))
audit.register("queue.left", _("left the queue"))
audit.register("queue.taken", _("took up the offer of the queue"))
audit.register("queue.passed", _("the offer of the queue ran out"))

audit.register("bundle.make", _("made a joint request"))
audit.register("bundle.leg_failed", _("a leg of the joint request failed"))
audit.register("bundle.replace", _("replaced a leg of the joint request"))
audit.register("bundle.partly", _("let the joint request go on in parts"))
audit.register("bundle.withdraw", _("withdrew the whole joint request"))
audit.register("bundle.lapse", _("withdrew the whole joint request: no decision in time"))
register(
    "bundle.leg_failed",
    _("Another leg of this all-or-nothing request will not come about; by %(until)s the applicant says what follows"),
)
register("bundle.replace", _("The applicant replaced the leg of joint request %(bundle)s that failed: it goes on"))
register(
    "bundle.partly",
    _("Joint request %(bundle)s is no longer all or nothing: each leg goes on and takes effect by itself"),
)
register("notice.bundle.leg_failed", _("A leg of joint request %(bundle)s will not come about: see how it goes on"))
register("notice.bundle.replace", _("A leg of joint request %(bundle)s was replaced: it goes on"))
register("notice.bundle.partly", _("Joint request %(bundle)s goes on in parts: each leg takes effect by itself"))
register("notice.bundle.warn", _("The time to say how joint request %(bundle)s goes on runs out soon"))
register("notice.bundle.lapse", _("Joint request %(bundle)s is withdrawn as a whole: no decision in time"))

register("change.amend", _("Proposes to amend agreement %(reference)s"))
register("change.renew", _("Proposes to renew agreement %(reference)s"))
audit.register("change.amend", _("proposed an amendment of the agreement"))
audit.register("change.renew", _("proposed a renewal of the agreement"))

register("notice.approval.ask", _("Request %(request)s: the agreed terms await your approval"))
register("notice.approval.reject", _("Request %(request)s: the terms were not approved in your organisation"))
register("notice.approval.complete", _("Request %(request)s: the terms are approved and can be signed"))
register("notice.approval.works_ask", _("%(project)s: the agreed terms await your approval"))
register("notice.approval.works_reject", _("%(project)s: the terms were not approved in your organisation"))
register("notice.approval.works_complete", _("%(project)s: the terms are approved and can be signed"))
audit.register("approval.approve", _("approved a version of the terms"))
audit.register("approval.reject", _("did not approve a version of the terms"))
audit.register("approval_rule.set", _("set a rule of approval"))
audit.register("approval_rule.end", _("ended a rule of approval"))
