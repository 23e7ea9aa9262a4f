"""How the steps without terms read, in three places."""

from django.utils.translation import gettext_lazy as _

# Steps without terms: (verb, in the conversation, in the audit log, as a notification).
STEPS = (
    (
        "accept_filing",
        _("The request is complete and accepted for examination. %(note)s"),
        _("accepted the request for examination"),
        _("Request %(request)s is accepted for examination"),
    ),
    (
        "deem_complete",
        _("Nobody objected in time: the request counts as complete and is examined. %(note)s"),
        _("took the request as complete: the clock ran out"),
        _("Request %(request)s counts as complete and is examined"),
    ),
    (
        "ask_supplement",
        _("Something is missing: %(note)s"),
        _("asked for what is missing"),
        _("Request %(request)s is to be completed: something is missing"),
    ),
    (
        "supplement",
        _("Handed in what was missing: %(note)s"),
        _("handed in what was missing"),
        _("What was missing on request %(request)s has been handed in"),
    ),
    (
        "appoint_survey",
        _("The joint survey is appointed; the date stands under Progress. %(note)s"),
        _("appointed the joint survey"),
        _("A joint survey is appointed for request %(request)s"),
    ),
    (
        "report_findings",
        _("Found at the survey: %(note)s"),
        _("reported what the survey found"),
        _("Findings of the survey of request %(request)s are in"),
    ),
    (
        "assess",
        _("Technical verdict given; it stands under Progress. %(note)s"),
        _("gave the technical verdict"),
        _("The technical verdict on request %(request)s is given: an offer follows"),
    ),
    (
        "hold_up",
        _("On hold, the clock stands still: %(note)s"),
        _("put the request on hold"),
        _("Request %(request)s is on hold; its clock stands still"),
    ),
    ("resume", _("The request goes on. %(note)s"), _("let the request go on"), _("Request %(request)s goes on")),
    (
        "resume_late",
        _("The longest hold-up is over: the request goes on. %(note)s"),
        _("let the request go on: the hold-up's clock ran out"),
        _("Request %(request)s goes on: its hold-up is over"),
    ),
    (
        "escalate",
        _("Brought before the bureau: %(note)s"),
        _("brought the case before the bureau"),
        _("Request %(request)s is before the bureau"),
    ),
    (
        "escalate_late",
        _("The owner's clock ran out: the case goes to the bureau, the hold stays. %(note)s"),
        _("brought the case before the bureau: the owner's clock ran out"),
        _("The owner's clock on request %(request)s ran out: it is before the bureau"),
    ),
    (
        "contest",
        _("The refusal is contested before the bureau: %(note)s"),
        _("contested the refusal before the bureau"),
        _("The refusal of request %(request)s is contested before the bureau"),
    ),
    (
        "state_case",
        _("Statement to the bureau: %(note)s"),
        _("stated its case to the bureau"),
        _("A statement on request %(request)s is in"),
    ),
    (
        "propose",
        _("The bureau proposes: %(note)s"),
        _("proposed a settlement"),
        _("The bureau has a proposal on request %(request)s: it awaits your answer"),
    ),
    (
        "accept_proposal",
        _("Accepts the bureau's proposal. %(note)s"),
        _("accepted the bureau's proposal"),
        _("The bureau's proposal on request %(request)s is accepted by one side"),
    ),
    (
        "settle",
        _("Both sides accept the bureau's proposal: the owner puts it into an offer. %(note)s"),
        _("settled: both sides accepted the bureau's proposal"),
        _("Request %(request)s is settled: an offer follows"),
    ),
    (
        "decline_proposal",
        _("Declines the bureau's proposal: %(note)s"),
        _("declined the bureau's proposal"),
        _("The bureau's proposal on request %(request)s is declined"),
    ),
    (
        "proposal_lapses",
        _("The bureau's proposal was not answered in time; the bureau decides. %(note)s"),
        _("let the proposal lapse: the clock ran out"),
        _("The bureau's proposal on request %(request)s lapsed unanswered"),
    ),
    (
        "remind_bureau",
        _("The bureau's clock ran out; it is reminded and the clock starts anew. %(note)s"),
        _("reminded the bureau: its clock ran out"),
        _("Request %(request)s still awaits the bureau: its clock ran out"),
    ),
    (
        "decide_for",
        _("The bureau decides that this is to be shared: %(note)s"),
        _("decided: to be shared"),
        _("The bureau decided on request %(request)s: it is to be shared"),
    ),
    (
        "decide_against",
        _("The bureau decides that this is not to be shared: %(note)s"),
        _("decided: not to be shared"),
        _("The bureau decided on request %(request)s: it is not to be shared"),
    ),
)
