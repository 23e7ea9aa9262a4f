"""One of each noun of the access table, the biggest there is; what the demonstration lacks is made and rolled back."""

import datetime as dt
import io

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Count
from django.http import QueryDict
from django.utils import timezone

from accounts.actions import members
from accounts.models import CalendarDay, Invitation, JoinRequest, Membership, Organisation, User
from agreements.actions.build_checks import certify_build_check
from agreements.demo.cast import address as email_of
from agreements.models import Agreement, Offer, ShareRequest
from agreements.projects.models import Project
from listings.actions import bulk, documents, exports, grants, imports, photos, saved
from listings.models import DemandLine, DemandList, ImportJob, LineCorrection, Objection, Resource, Site
from matching.models import MatchRun, Proposal, Route
from messaging import mailing
from messaging.actions import ask_export, thread_about
from messaging.models import Letter, Notification, Thread

IMPORT_ROWS = 2_000


def member(first_name: str) -> Membership:
    return Membership.objects.select_related("organisation__region", "user").get(user__email=email_of(first_name))


def biggest(rows, count: str):
    return rows.annotate(n=Count(count)).order_by("-n", "pk").first()


def import_job(state: str) -> ImportJob:
    """A file of Alice's with IMPORT_ROWS rows, taken to the state."""
    alice = member("alice")
    rows = "".join(
        f"B-{i},铁塔 {i},{113.2 + i % 50 / 500:.5f},{23.05 + i // 50 / 500:.5f},{20 + i % 40},3,2\n"
        for i in range(IMPORT_ROWS)
    )
    content = f"编码,名称,经度,纬度,塔高(米),天线位总数,空闲天线位\n{rows}#{state}\n".encode()
    job, _new = imports.upload_file(membership=alice, file=SimpleUploadedFile(f"{state}.csv", content), kind="tower")
    imports.work(job.pk)
    job.refresh_from_db()
    if state in ("placing", "ready"):
        imports.set_columns(job=job, membership=alice, mapping=job.mapping)
    if state == "ready":
        imports.set_place(job=job, membership=alice, crs="EPSG:4326")
        imports.work(job.pk)
    job.refresh_from_db()
    assert job.state == state, (job.state, job.refusal)
    return job


def photo(resource: Resource):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (1600, 1200), "grey").save(data, "JPEG")
    alice = member("alice")
    content = data.getvalue()
    return photos.add_photo(
        resource=resource,
        file=io.BytesIO(content),
        size_bytes=len(content),
        caption="",
        by=alice.user,
        membership=alice,
    )


def people() -> dict:
    alice = member("alice")
    newcomer = Organisation.objects.filter(verification="submitted").first()
    invitation = members.invite(
        organisation=alice.organisation, by=alice, email="new@demo.gongjian.example", roles=["viewer"]
    )
    return {
        "organisation": alice.organisation_id,
        "newcomer": newcomer.pk if newcomer else 0,
        "membership": member("bob").pk,
        "token": invitation.token,
        "invitation": Invitation.objects.get(token=invitation.token).pk,
        "letter": Letter.objects.create(user=alice.user, due_at=timezone.now()).pk,
        "unsubscribe": mailing.unsubscribe_token(alice.user, ["message"]),
        "join": JoinRequest.objects.create(
            organisation=alice.organisation, user=User.objects.create_user("joins@demo.gongjian.example", None)
        ).pk,
    }


def _paper() -> io.BytesIO:
    paper, out = pikepdf.new(), io.BytesIO()
    paper.add_blank_page()
    paper.save(out)
    out.seek(0)
    return out


def supply(resource: Resource) -> dict:
    """What hangs on Alice's resource: a paper, files out, a change of many; and a site."""
    alice = member("alice")
    paper = documents.add_document(
        resource=resource, file=_paper(), name="a.pdf", size_bytes=800, title="", by=alice.user,
        membership=alice,
    )  # fmt: skip
    export = exports.start(membership=alice, format_="csv", crs="EPSG:4326", scope="own", query="", language="en")
    many = bulk.start(membership=alice, verb="suspend", query="", changes={})
    return {"document": paper.pk, "site": Site.objects.earliest("pk").pk, "export": export.pk, "bulk": many.pk}


def demand(line: DemandLine) -> dict:
    """Lists in the hands of bureaus: what the demonstration has of each, or nothing."""
    carol, dave = member("carol"), member("dave")
    call = DemandList.objects.filter(call_closes_at__isnull=False).order_by("-pk").first()
    noticed = DemandLine.objects.filter(demand_list__state="notice").first()
    day = CalendarDay.objects.create(
        region=carol.organisation.region, day=timezone.localdate() + dt.timedelta(days=40), is_workday=True, name="x",
        source="x", set_by=carol.user,
    )  # fmt: skip
    check = certify_build_check(place=line.place, kind="tower", is_settled=True, membership=dave)
    found = {
        "notice_line": noticed,
        "objection": Objection.objects.first(),
        "correction": LineCorrection.objects.first(),
        "call_line": call.lines.filter(handed_in_by__isnull=False).first() if call else None,
    }
    return {
        **{name: row.pk for name, row in found.items() if row is not None},
        **({"call_reference": call.reference} if call else {}),
        "list_reference": line.demand_list.reference,
        "calendar_day": day.pk,
        "build_check": check.verification_code,
    }


def talk(case: ShareRequest) -> dict:
    """The longest conversation, with something said in it and an attachment where it has one."""
    alice = member("alice")
    thread = biggest(Thread.objects.all(), "messages")
    with_file = thread.messages.filter(attachments__isnull=False).first()
    about = thread_about(case)
    return {
        "thread": thread.pk,
        "said": thread.messages.filter(author__isnull=False).latest("number").number,
        **({"attachment": with_file.attachments.first().pk} if with_file else {}),
        "thread_export": ask_export(thread=about, by=alice.user, membership=alice).pk,
    }


def works() -> dict:
    """Co-construction: what has the most parties, what is agreed, and a search to be told of."""
    alice = member("alice")
    projects = biggest(Project.objects.all(), "parties")
    agreed = Project.objects.exclude(verification_code="").order_by("-pk").first()
    search = saved.save_search(by=alice.user, membership=alice, query=QueryDict("kind=tower"), name="towers")
    return {
        **({"works": projects.pk} if projects else {}),
        **({"works_agreed": agreed.pk, "works_code": agreed.verification_code} if agreed else {}),
        "saved_search": search.pk,
    }


def things() -> dict:
    """{name in the access table: key}."""
    alice = member("alice")
    own = Resource.objects.filter(owner=alice.organisation)
    resource = biggest(own.filter(state="published"), "pools")
    blurred = Resource.objects.filter(state="published", disclosure="blurred").exclude(owner=alice.organisation).first()
    main = biggest(DemandList.objects.filter(state="in_force"), "lines")
    draft_list = biggest(DemandList.objects.filter(state="draft"), "lines")
    run = MatchRun.objects.filter(demand_list=main, state="done").order_by("-pk").first()
    line = DemandLine.objects.filter(demand_list=main, applicant=member("dave").organisation).first()
    proposal = Proposal.objects.filter(run=run).first()
    route = Route.objects.filter(result__run=run).first()
    routed = route.result if route else None
    case = biggest(ShareRequest.objects.filter(resource__owner=alice.organisation).exclude(state="signed"), "offers")
    agreement = Agreement.objects.order_by("-signed_at").first()
    grant = grants.ask_grant(resource=blurred, by=alice.user, membership=alice, purpose="survey before mounting")
    return {
        **people(),
        "resource": resource.pk,
        "draft": own.filter(state="draft").first().pk,
        "blurred": blurred.pk,
        "photo": photo(resource).pk,
        "grant": grant.pk,
        "list": main.pk,
        "draft_list": draft_list.pk,
        "line": line.pk,
        "draft_line": draft_list.lines.first().pk,
        "run": run.pk,
        "request": case.pk,
        "offer": Offer.objects.latest("pk").pk,
        "agreement": agreement.pk,
        **talk(case),
        **supply(resource),
        **demand(line),
        **works(),
        **{name: row.pk for name, row in (("proposal", proposal), ("routed", routed)) if row is not None},
        "notification": Notification.objects.values_list("pk", flat=True).first() or 0,
        "job": import_job("mapping").pk,
        "job_placing": import_job("placing").pk,
        "job_ready": import_job("ready").pk,
    }
