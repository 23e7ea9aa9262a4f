"""Works are signed only after the approvals each organisation's own rules ask for; the database holds it too."""

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from agreements import actions as agreement_actions
from agreements.models import ProjectApproval, ProjectSignature
from agreements.projects import actions
from messaging.models import Notification
from tests.world import PASSWORD, make_user

from .test_walk import closed, joined, notice


@pytest.fixture
def works(world):
    project = notice(world, common_fen=900_000)
    joined(world, project, "dave")
    closed(project)
    return project


def rule(world, approver, who="dave", from_fen=1, name="Finance"):
    return agreement_actions.set_approval_rule(
        by=world.user(who), membership=world.as_[who], name=name, basis="year", from_fen=from_fen, approver=approver,
        deputy=None,
    )  # fmt: skip


def agree(world, project):
    return actions.agree(project=project, by=world.alice, membership=world.as_["alice"])


def sign(world, project, who="dora"):
    return actions.sign(
        project=project, by=world.user(who), membership=world.as_[who], password=PASSWORD,
        terms_sha256=project.terms_sha256,
    )  # fmt: skip


def answer(project, person, verdict="approved", note="", sha256=None):
    return actions.answer_approval(
        project=project, by=person, membership=person.memberships.get(), verdict=verdict, note=note,
        terms_sha256=sha256 or project.terms_sha256,
    )  # fmt: skip


def test_signed_after_the_steps_the_share_reaches(world, works):
    fay = make_user("Fay", world.operator, "viewer")
    rule(world, fay)
    rule(world, fay, from_fen=10**12, name="Never reached")
    project = agree(world, works)
    told = Notification.objects.get(code="notice.approval.works_ask")
    assert (told.user, told.payload) == (fay, {"project": project.title})
    with pytest.raises(Refused, match="Finance") as waiting:
        sign(world, project)
    assert waiting.value.code == "not_approved"
    with pytest.raises(NotPermitted):
        answer(project, world.dave)
    with pytest.raises(Refused) as silent:
        answer(project, fay, "rejected")
    assert silent.value.code == "no_reason"
    with pytest.raises(Refused) as stale:
        answer(project, fay, sha256="0" * 64)
    assert stale.value.code == "wrong_state"
    answer(project, fay, "rejected", "Too dear.")
    with pytest.raises(Refused, match="Too dear"):
        sign(world, project)
    row = {"project": project, "organisation": world.operator, "user": world.dora, "signer_name": "D",
           "terms_sha256": project.terms_sha256}  # fmt: skip
    with pytest.raises(IntegrityError, match="project_signature_is_approved"), transaction.atomic():
        ProjectSignature.objects.create(**row)
    made = answer(project, fay)
    assert answer(project, fay) == made  # twice is once
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectApproval.objects.filter(pk=made.pk).delete()
    sign(world, project)
    assert Event.objects.filter(verb="approval.approve").count() == 1
    assert Notification.objects.filter(code="notice.approval.works_complete").exists()


def test_who_approved_does_not_sign_as_well(world, works):
    rule(world, world.dora)
    project = agree(world, works)
    answer(project, world.dora)
    with pytest.raises(Refused) as own:
        sign(world, project)
    assert own.value.code == "own_approval"


def test_the_page_is_the_own_organisations(world, works, client_as):
    rule(world, world.dave)
    project = agree(world, works)
    address = f"/en/projects/{project.pk}/approval/"
    page = client_as("dave").get(address).content.decode()
    assert "Finance" in page
    assert "Approve these terms" in page
    assert "To the approval" in client_as("dora").get(f"/en/projects/{project.pk}/agreement/").content.decode()
    assert "Finance" not in client_as("alice").get(address).content.decode()
    assert client_as("carol").get(address).status_code == 404
    assert client_as("eve").get(address).status_code == 404
    form = {"version_sha256": project.terms_sha256, "note": ""}
    assert client_as("dave").post(address, form | {"verdict": "rejected"}).status_code == 422
    done = client_as("dave").post(address, form | {"verdict": "approved"}, follow=True).content.decode()
    assert "approved by Dave" in done
