"""Who gets what at every address: a table of (role, url name, expected code) that must list every one of ours.

Addresses that only take POST are posted to, with nothing in the form: a permitted person then gets a redirect
or a page with errors, everybody else 302 to sign-in, 403 or 404 before anything is looked at.
To print the table as it is now: ACCESS_TABLE=print pytest tests/test_access.py -s
"""

import datetime as dt
import io
import os
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone
from PIL import Image

from accounts.models import CalendarDay, Invitation, JoinRequest, Membership
from agreements import actions as agreement_actions
from agreements.actions.build_checks import certify_build_check
from agreements.models import Project, ProjectParty, QueuePlace
from agreements.projects import actions as project_actions
from listings.actions import bulk, demand, documents, exports, grants, photos, saved, sites
from listings.models import CapacityPool, ImportJob
from matching import actions as matching_actions
from matching import runner
from matching.models import Proposal, ProposalParty, Route
from messaging import actions as messaging_actions
from messaging import mailing
from messaging.models import Letter
from messaging.uploads import Upload
from tests import papers
from tests import world as make
from tests.access_table import ROLES, TABLE

OURS = ("accounts", "messaging", "listings", "matching", "agreements", "cms")


def our_addresses(resolver=None, namespace=""):
    """(name with namespace, pattern) of every address whose view is ours."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from our_addresses(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.callback.__module__.split(".")[0] in OURS:
            yield f"{namespace}{pattern.name}", pattern


def test_table_lists_every_address():
    names = {name for name, _ in our_addresses()}
    assert names - set(TABLE) == set(), "addresses the table does not list"
    assert set(TABLE) - names == set(), "rows of the table without an address"


def test_every_row_names_every_role():
    assert all(len(row.codes.split()) == len(ROLES) for row in TABLE.values())


def _picture():
    data = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def things(world, settings):
    """One of each noun, by the ordinary actions: owned by Alice's company, asked for by Dave's."""
    alice, dave, dora, carol = (world.as_[name] for name in ("alice", "dave", "dora", "carol"))
    resource = make.make_resource(world.power)
    draft = make.make_resource(world.power, state="draft")
    blurred = make.make_resource(world.power, disclosure="blurred")
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    draft_list = make.make_list(world.bureau, state="draft")
    line = make.make_line(demand_list, world.operator)
    make.make_line(demand_list, world.operator)
    draft_line = make.make_line(draft_list, world.operator)
    run = matching_actions.start(demand_list=demand_list, by=world.carol, membership=carol)
    runner.execute(run.pk)
    proposal = Proposal.objects.create(run=run, number=1, kind="tower", place=line.place, cost_fen=100, alone_fen=200)
    ProposalParty.objects.create(
        proposal=proposal, line=line, units=1, alone_fen=100, pro_rata_fen=50, stand_alone_fen=50, shapley_fen=50
    )
    routed = run.results.get(line=line)
    Route.objects.create(
        result=routed, role="chosen", path="SRID=4326;LINESTRING(113 23, 113.1 23)", length_m=1, cost_fen_per_year=1
    )
    picture = _picture()
    photo = photos.add_photo(
        resource=resource,
        file=io.BytesIO(picture),
        size_bytes=len(picture),
        caption="",
        by=world.alice,
        membership=alice,
    )
    document = documents.add_document(
        resource=resource, file=io.BytesIO(papers.pdf()), name="a.pdf", size_bytes=800, title="", by=world.alice,
        membership=alice,
    )  # fmt: skip
    beside = make.make_resource(world.power, "room")
    site = sites.save_site(
        by=world.alice, membership=alice, site=None, data={"owner_code": "S", "name": "Site"},
        members=[resource.pk, beside.pk],
    )  # fmt: skip
    grant = grants.ask_grant(
        resource=blurred, by=world.dave, membership=dave, purpose="survey before an antenna is mounted"
    )

    def ask():
        return agreement_actions.request_space(
            by=world.dave, membership=dave, resource=resource, quantities={resource.pools.get().pk: Decimal(1)},
            starts_on=timezone.localdate() + dt.timedelta(days=30), months=12, purpose="coverage", key=uuid4(),
        )  # fmt: skip

    def offer(request):
        return agreement_actions.make_offer(
            request=request, by=world.alice, membership=alice, answers=0,
            quantities={resource.pools.get().pk: Decimal(1)}, price_fen_per_year=1000,
            starts_on=request.starts_on, months=12,
        )  # fmt: skip

    case = ask()
    open_offer = offer(case)
    agreement = agreement_actions.accept_offer(offer=offer(ask()), by=world.dave, membership=dave)
    messaging_actions.notify(users=[world.dave], code="message.post", payload={}, url="/work/", key="k")
    talk = messaging_actions.thread_about(case)
    said = messaging_actions.post(
        thread=talk, by=world.alice, membership=alice, body="a", client_uuid=uuid4(),
        uploads=[Upload("a.txt", b"a", "text/plain", False)],
    )  # fmt: skip
    talk_export = messaging_actions.ask_export(thread=talk, by=world.alice, membership=alice)
    talk_export.file.save("t.pdf", ContentFile(b"%PDF-"), save=False)
    talk_export.state = "done"
    talk_export.save()
    place = QueuePlace.objects.create(
        resource=beside, organisation=world.operator, quantities={}, starts_on=timezone.localdate(), months=12,
        purpose="a", key=uuid4(), joined_by=world.dave, joined_at=timezone.now(),
    )  # fmt: skip
    search = saved.save_search(by=world.alice, membership=alice, name="Towers", query=QueryDict("kind=tower"))
    job = ImportJob.objects.create(
        organisation=world.power, file=SimpleUploadedFile("t.csv", b"a,b\n1,2\n"), file_name="t.csv",
        file_sha256="0" * 64,
        created_by=world.alice, heartbeat_at=timezone.now(),
    )  # fmt: skip
    noticed = make.make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    notice_line = make.make_line(noticed, world.operator)
    objection = demand.make_objection(demand_list=noticed, membership=world.as_["eve"], text="x", line=notice_line)
    correction = demand.propose_correction(
        line=make.make_line(noticed, world.operator), membership=carol, reason="x", quantity=9
    )
    comment = demand.comment(demand_list=noticed, membership=carol, text="x")
    call = make.make_list(
        world.bureau, state="draft", reference="call-1", call_closes_at=timezone.now() + dt.timedelta(days=9)
    )
    call_line = make.make_line(call, world.operator, handed_in_by=world.operator)
    check = certify_build_check(place=call_line.place, kind="tower", is_settled=True, membership=dave)
    calendar_day = CalendarDay.objects.create(
        region=world.regions["440000"], day=timezone.localdate() + dt.timedelta(days=40), is_workday=True, name="x",
        source="x", set_by=world.carol,
    )  # fmt: skip
    Membership.objects.filter(pk=carol.pk).update(roles=["admin", "curator"])
    export = exports.start(
        membership=alice, format_="csv", crs="EPSG:4326", scope="own", query="", language="en"
    )  # fmt: skip
    exports.write_if_small(export)
    project = project_actions.save(
        project=None, by=world.alice, membership=alice,
        data={
            "title": "Trench", "kind": "pipe", "method": "open_cut", "disclosure": "parties", "joinable": "bores",
            "join_until": timezone.localdate() + dt.timedelta(days=40), "place": routed.routes.get().path,
            "starts_on": timezone.localdate() + dt.timedelta(days=60), "common_fen": 100, "lead_units": Decimal(1),
            "ends_on": timezone.localdate() + dt.timedelta(days=90),
        },
    )  # fmt: skip
    project_actions.publish(project=project, by=world.alice, membership=alice)
    ProjectParty.objects.create(project=project, organisation=world.operator, state="taken", units=1)
    Project.objects.filter(pk=project.pk).update(state="closed")
    agreed = project_actions.agree(project=project, by=world.alice, membership=alice)
    works, built = [
        Project.objects.create(
            title=title, kind="pipe", method="open_cut", disclosure="parties", joinable="bores", lead=world.power,
            join_until=agreed.join_until, starts_on=agreed.starts_on, ends_on=agreed.ends_on, lead_units=1,
            place=agreed.place, region=agreed.region, state="published", published_at=timezone.now(),
        )
        for title in ("Pipe", "Duct")
    ]  # fmt: skip
    party, payer = [
        ProjectParty.objects.create(project=one, organisation=world.operator, state="taken", units=1)
        for one in (works, built)
    ]
    Project.objects.filter(pk=built.pk).update(
        state="building", terms={"parties": [{"share_fen": 0}]}, terms_sha256="x"
    )  # fmt: skip
    milestone = built.milestones.create(title="x", planned_for=agreed.starts_on, organisation=world.power)
    paper = built.documents.create(
        sort="paper", title="x", file=SimpleUploadedFile("x.pdf", b"x"), extension="pdf", size_bytes=1,
        sha256="0" * 64, organisation=world.power, added_by=world.alice, added_at=timezone.now(),
    )  # fmt: skip
    spots = [make.make_resource(world.power), make.make_resource(world.power)]
    legs = agreement_actions.request_together(
        by=world.dave, membership=dave, resources=spots, mode="whole", key=uuid4(), starts_on=timezone.localdate(),
        quantities={pool.pk: Decimal(1) for pool in CapacityPool.objects.filter(resource__in=spots).order_by("pk")},
        months=12, purpose="Joint",
    )  # fmt: skip
    many = bulk.start(membership=alice, verb="suspend", query=f"pk={resource.pk}", changes={})
    return {
        "notice_line": notice_line.pk, "objection": objection.pk, "correction": correction.pk, "comment": comment.pk,
        "call_reference": call.reference, "call_line": call_line.pk, "list_reference": demand_list.reference,
        "build_check": check.verification_code, "calendar_day": calendar_day.pk,
        "bundle": legs[0].bundle_id, "leg": legs[0].pk,
        "resource": resource.pk, "draft": draft.pk, "blurred": blurred.pk, "photo": photo.pk,
        "document": document.pk, "site": site.pk,
        "grant": grant.pk,
        "saved_search": search.pk, "queue_place": place.pk, "export": export.pk, "bulk": many.pk,
        "list": demand_list.pk, "draft_list": draft_list.pk, "line": line.pk, "draft_line": draft_line.pk,
        "works": works.pk, "works_party": party.pk, "works_agreed": agreed.pk, "works_code": agreed.verification_code,
        "works_built": built.pk, "works_payer": payer.pk, "works_milestone": milestone.pk, "works_paper": paper.pk,
        "run": run.pk, "proposal": proposal.pk, "routed": routed.pk,
        "request": case.pk, "offer": open_offer.pk, "agreement": agreement.pk, "job": job.pk,
        "thread": talk.pk, "said": said.number, "attachment": said.attachments.get().pk,
        "thread_export": talk_export.pk,
        "letter": Letter.objects.create(user=world.alice, due_at=timezone.now()).pk,
        "unsubscribe": mailing.unsubscribe_token(world.alice, ["message"]),
        "organisation": world.power.pk,
        "newcomer": world.unverified.pk,
        "membership": world.as_["vera"].pk, "notification": world.dave.notifications.latest("pk").pk,
        "invitation": Invitation.objects.create(
            organisation=world.power, email="new@example.org", roles=["viewer"], invited_by=world.alice,
            expires_at=timezone.now() + dt.timedelta(days=5),
        ).pk,
        "token": Invitation.objects.create(
            organisation=world.power, email="nora@example.org", roles=["viewer"], invited_by=world.alice,
            expires_at=timezone.now() + dt.timedelta(days=5),
        ).token,
        "join": JoinRequest.objects.create(organisation=world.power, user=world.nora).pk,
        "dora": dora.pk,
    }  # fmt: skip


def _client(world, role):
    client = Client(raise_request_exception=False)
    if role != "visitor":
        client.force_login(world.user(role), backend="accounts.backends.PasswordBackend")
    return client


class Undo(Exception):
    """Rolls back what a request changed, so that the next one meets the same world."""


def test_every_address_answers_each_role_as_the_table_says(world, things):
    clients = {role: _client(world, role) for role in ROLES}
    wrong, printed = [], []
    for name, row in TABLE.items():
        address = reverse(name, args=[things.get(arg, arg) if isinstance(arg, str) else arg for arg in row.args])
        found = []
        for role, expected in zip(ROLES, row.codes.split(), strict=True):
            try:
                with transaction.atomic():
                    send = clients[role].post if row.method == "POST" else clients[role].get
                    code = send(address + row.query.format_map(things)).status_code
                    raise Undo
            except Undo:
                pass
            found.append(str(code))
            if str(code) != expected:
                wrong.append(f"{row.method} {name} as {role}: {code}, expected {expected}")
        printed.append(f'    "{name}": Row("{" ".join(found)}"')
    if os.environ.get("ACCESS_TABLE") == "print":
        print("\n".join(printed))  # noqa: T201
    assert not wrong, "\n".join(wrong)
