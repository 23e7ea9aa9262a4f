"""One of each noun of the access table, the biggest there is; what the demonstration lacks is made and rolled back."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Count

from accounts.actions import members
from accounts.models import JoinRequest, Membership, Organisation, User
from agreements.demo.cast import address as email_of
from agreements.models import Agreement, Offer, ShareRequest
from listings.actions import grants, imports, photos
from listings.models import DemandLine, DemandList, ImportJob, Resource
from matching.models import MatchRun
from messaging.models import Notification, Thread

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
        "join": JoinRequest.objects.create(
            organisation=alice.organisation, user=User.objects.create_user("joins@demo.gongjian.example", None)
        ).pk,
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
    case = biggest(ShareRequest.objects.exclude(state="signed"), "offers")
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
        "line": DemandLine.objects.filter(demand_list=main, applicant=member("dave").organisation).first().pk,
        "draft_line": draft_list.lines.first().pk,
        "run": run.pk,
        "request": case.pk,
        "offer": Offer.objects.latest("pk").pk,
        "agreement": agreement.pk,
        "thread": biggest(Thread.objects.all(), "messages").pk,
        "notification": Notification.objects.values_list("pk", flat=True).first() or 0,
        "job": import_job("mapping").pk,
        "job_placing": import_job("placing").pk,
        "job_ready": import_job("ready").pk,
    }
