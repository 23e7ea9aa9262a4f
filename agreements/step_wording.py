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
    (
        "begin_make_ready",
        _("The owner makes the place ready. %(note)s"),
        _("began make-ready"),
        _("Make-ready has begun for request %(request)s"),
    ),
    (
        "plan_milestone",
        _("A milestone is planned; it stands under Works. %(note)s"),
        _("planned a milestone"),
        _("A milestone is planned for request %(request)s"),
    ),
    (
        "reach_milestone",
        _("A milestone is reached. %(note)s"),
        _("reported a milestone reached"),
        _("A milestone of request %(request)s is reached"),
    ),
    ("begin_works", _("The works begin. %(note)s"), _("began the works"), _("Works of request %(request)s have begun")),
    (
        "report_progress",
        _("Progress: %(note)s"),
        _("reported progress of the works"),
        _("Progress is reported on request %(request)s"),
    ),
    (
        "remind_works",
        _("The clock of the works ran out; the clock starts anew. %(note)s"),
        _("reminded of the works: their clock ran out"),
        _("The works of request %(request)s are late: call for acceptance or report progress"),
    ),
    (
        "call_acceptance",
        _("Acceptance is called for. %(note)s"),
        _("called for acceptance"),
        _("Request %(request)s: the works await acceptance"),
    ),
    (
        "remind_acceptance",
        _("The clock of the acceptance ran out; the clock starts anew. %(note)s"),
        _("reminded of the acceptance: its clock ran out"),
        _("The acceptance of request %(request)s is overdue"),
    ),
    (
        "pass_works",
        _("The works are accepted; the price runs from today. %(note)s"),
        _("accepted the works"),
        _("The works of request %(request)s are accepted: it is in operation"),
    ),
    (
        "ask_rectify",
        _("To be rectified: %(note)s"),
        _("asked for rectification"),
        _("Request %(request)s: points are to be rectified"),
    ),
    (
        "remind_rectify",
        _("The clock of the rectification ran out; the clock starts anew. %(note)s"),
        _("reminded of the rectification: its clock ran out"),
        _("The rectification of request %(request)s is overdue"),
    ),
    (
        "give_up",
        _("The applicant gives the agreement up before operation: %(note)s"),
        _("gave the agreement up before operation"),
        _("Request %(request)s was given up before operation"),
    ),
    (
        "lapse_unused",
        _("What was reserved was not taken into use in time: it lapses and is free again. %(note)s"),
        _("let the reservation lapse unused: its clock ran out"),
        _("The reservation of request %(request)s lapsed unused"),
    ),
    (
        "give_notice",
        _("Gives notice: %(note)s"),
        _("gave notice"),
        _("Notice was given on the agreement of request %(request)s"),
    ),
    (
        "take_back_notice",
        _("Takes the notice back. %(note)s"),
        _("took the notice back"),
        _("The notice on request %(request)s was taken back"),
    ),
    (
        "conclude_change",
        _("Signed by both sides: the change is in force. %(note)s"),
        _("put a change of the agreement into force with the last signature"),
        _("The change agreed on request %(request)s is in force"),
    ),
    (
        "await_legs",
        _(
            "Other legs of this all-or-nothing request are not settled yet: the clock of signing begins anew. %(note)s"
        ),
        _("began the clock of signing anew: other legs are not settled"),
        _("Request %(request)s waits for other legs of its joint request"),
    ),
    (
        "open_signing",
        _("Every leg of the joint request that goes on is accepted: signing is open. %(note)s"),
        _("opened signing: every leg is accepted"),
        _("Every leg of the joint request of request %(request)s is accepted: it awaits signatures"),
    ),
    (
        "fall",
        _(
            "All or nothing: nobody said in time how to go on, so the whole joint request is withdrawn. %(note)s"
        ),
        _("withdrew the leg with its joint request: no decision in time"),
        _("Request %(request)s is withdrawn with its joint request"),
    ),
    (
        "supersede",
        _("An amendment signed by both sides takes the place of this agreement. %(note)s"),
        _("ended the agreement: an amendment took its place"),
        _("An amendment takes the place of the agreement of request %(request)s"),
    ),
    (
        "notice_ends",
        _("The notice has taken effect: the agreement has ended. %(note)s"),
        _("ended the agreement: the notice took effect"),
        _("The agreement of request %(request)s has ended by notice"),
    ),
    (
        "term_ends",
        _("The agreed period is over: the agreement has ended. %(note)s"),
        _("ended the agreement: its period is over"),
        _("The agreed period of request %(request)s is over"),
    ),
)
