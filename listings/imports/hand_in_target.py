"""Files of an operator's own lines, into an open call: as a bureau's file, with the applicant set, own lines only."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from listings import demand_permissions
from listings.actions import demand as actions
from listings.imports.demand_target import COLUMNS, DemandJudge, DemandTarget, fields_of
from listings.imports.findings import Finding
from listings.imports.resource_target import LANGUAGES
from listings.imports.targets import Draft
from listings.kinds.spec import ColumnSpec
from listings.models import DemandLine, ImportJob

OWN_COLUMNS = tuple(spec for spec in COLUMNS if spec.field != "applicant_name")


class HandInJudge(DemandJudge):
    """Knows the organisation's own lines alone: what others handed in is neither compared nor told of."""

    def __init__(self, job: ImportJob):
        super().__init__(job)
        typed = self._of_the_applicant().exclude(handed_in_by=job.organisation_id).exclude(applicant_code="")
        self.codes_of_the_bureau = set(typed.order_by().values_list("applicant_code", flat=True))

    def _of_the_applicant(self) -> QuerySet[DemandLine]:
        return self.job.demand_list.lines.filter(applicant=self.job.organisation_id)  # type: ignore[union-attr]

    def known_lines(self) -> QuerySet[DemandLine]:
        return self._of_the_applicant().filter(handed_in_by=self.job.organisation_id)

    def fields_of(self, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
        own = {"applicant": self.job.organisation, "applicant_name": ""}
        return [fields_of(draft, {}) | own for draft in drafts]

    def judge(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.values.get("applicant_code") in self.codes_of_the_bureau:
                draft.findings.append(_taken())
        super().judge(drafts)


def _taken() -> Finding:
    texts = {}
    for language in LANGUAGES:
        with override(language):
            texts[language] = [
                _("The bureau has entered a line of your organisation with this code itself."),
                _("Give this row another code, or ask the bureau to correct its line."),
            ]
    return Finding("error", "applicant_code", "line_refused", {}, texts)


class HandInTarget(DemandTarget):
    """Target of ImportJob.target "hand_in"."""

    name = "hand_in"
    add = staticmethod(actions.hand_in_lines)
    change = staticmethod(actions.change_handed_in_lines)
    remove = staticmethod(actions.take_back_lines)

    def specs(self, kind: str) -> Sequence[ColumnSpec]:
        return OWN_COLUMNS

    def refusal(self, job: ImportJob, membership: Membership | None) -> Refused | None:
        if job.demand_list is None:
            return NotPermitted(_("This import belongs to no list."))
        return demand_permissions.hand_in_refusal(job.demand_list, membership)

    def judge(self, job: ImportJob) -> HandInJudge:
        return HandInJudge(job)

    def lines(self, job: ImportJob) -> QuerySet[DemandLine]:
        return super().lines(job).filter(handed_in_by=job.organisation_id)


HAND_IN = HandInTarget()
