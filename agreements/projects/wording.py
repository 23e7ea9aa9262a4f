"""How the steps of works built together read: in the conversation, in notices, in the audit log."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import wording as audit
from accounts.models import Organisation
from agreements.models import Project
from messaging import subjects
from messaging.wording import register

# verb: (in the conversation, in the audit log, as a notice)
STEPS = {
    "publish": (_("The planned works notice was published"), _("published a planned works notice"),
                _("Planned works were published: %(project)s")),
    "join": (_("%(organisation)s wants to take part. %(note)s"), _("asked to join works"),
             _("%(organisation)s wants to take part in %(project)s")),
    "leave": (_("%(organisation)s left the works: %(note)s"), _("left works"), _("%(organisation)s left %(project)s")),
    "take": (_("A party was taken in"), _("took a party into works"), _("A party was taken into %(project)s")),
    "decline": (_("A party was declined: %(note)s"), _("declined a party of works"),
                _("A request to join %(project)s was declined")),
    "reserve": (_("The space and power reserved lie before the bureau"), _("stated what works reserve"),
                _("The reservation of %(project)s awaits the bureau")),
    "sign_off": (_("The bureau signed the reservation off"), _("signed a reservation off"),
                 _("The bureau signed the reservation of %(project)s off")),
    "ask_changes": (_("The bureau asks for changes of the reservation: %(note)s"),
                    _("asked for changes of a reservation"),
                    _("The bureau asks for changes of the reservation of %(project)s")),
    "escalate": (
        _("The bureau's time to answer on the reservation ran out; the bureaus above are told"),
        _("a bureau's time for a reservation ran out"),
        _("The reservation of %(project)s is overdue for an answer"),
    ),
    "close": (_("Joining is closed"), _("closed joining works"), _("Joining %(project)s is closed")),
    "agree": (_("The terms are frozen and await the signatures of all"), _("froze the terms of works"),
              _("The agreement of %(project)s awaits your signature")),
    "sign": (_("%(organisation)s signed"), _("signed works"),
             _("%(organisation)s signed the agreement of %(project)s")),
    "conclude": (_("All parties have signed; building begins"), _("all parties signed works"),
                 _("All parties have signed the agreement of %(project)s")),
    "plan_milestone": (_("%(organisation)s planned a milestone: %(note)s"), _("planned a milestone of works"),
                       _("A milestone of %(project)s was planned")),
    "reach_milestone": (_("Milestone reached: %(note)s"), _("reported a milestone of works as reached"),
                        _("A milestone of %(project)s was reached")),
    "call": (_("The works are built and await acceptance"), _("called for acceptance of works"),
             _("%(project)s awaits your acceptance")),
    "pass": (_("%(organisation)s accepted the works"), _("accepted works"), _("%(organisation)s accepted %(project)s")),
    "rectify": (_("%(organisation)s asks for rectification: %(note)s"), _("asked for rectification of works"),
                _("%(organisation)s asks for rectification of %(project)s")),
    "all_passed": (_("All parties have accepted the works"), _("all parties accepted works"),
                   _("All parties have accepted %(project)s")),
    "record_payment": (_("The lead recorded a payment of a share: %(note)s"), _("recorded the payment of a share"),
                       _("The payment of a share of %(project)s was recorded")),
    "finish": (_("The project is finished"), _("finished works"), _("%(project)s is finished")),
    "cancel": (_("The works were cancelled: %(note)s"), _("cancelled works"), _("%(project)s was cancelled")),
    "invite": (_("Works were opened from a co-build proposal; its parties are invited"),
               _("opened works from a proposal"),
               _("You are invited to build together: %(project)s")),
}  # fmt: skip

for verb, (said, done, told) in STEPS.items():
    register(f"project.{verb}", said)
    audit.register(f"project.{verb}", done)
    register(f"notice.project.{verb}", told)
register("notice.project.alert", _("Planned works near your demand: %(project)s by %(organisation)s"))
register(
    "notice.project.built", _("Your share of %(project)s was entered as your resource: publish what you would share")
)
audit.register("project.owe", _("a share of works fell due"))
audit.register("project.settle", _("entered the payment of a share"))
audit.register("project_document.add", _("handed in a paper of works"))
audit.register("project.draft", _("drafted a planned works notice"))
audit.register("project.edit", _("changed a planned works notice"))
audit.register("project.write_pdf", _("the PDF of works was written"))


class ProjectSubject(subjects.Subject):
    kind = _("Works built together")

    def url(self, subject: Project) -> str:
        return reverse("project_detail", args=[subject.pk])

    def bureaus(self, subject: Project) -> list[Organisation]:
        """Those whose jurisdiction covers the works; the narrowest first."""
        rows = Organisation.objects.bureaus().verified().select_related("region").order_by("-region__level", "pk")
        return [bureau for bureau in rows.defer("region__polygon") if bureau.region.covers(subject.region)]


subjects.register(Project, ProjectSubject())
