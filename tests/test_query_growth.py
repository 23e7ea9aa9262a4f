"""List pages ask as often for many rows as for few."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import events, memory
from accounts.models import Invitation, JoinRequest
from listings.models import CapacityPool, DisclosureGrant, ImportJob
from matching import actions as matching
from matching import runner
from messaging import actions as messaging
from tests import world as make
from tests.agreements.story import agree, ask, offer

# page, argument, who reads it
PAGES = [
    ("my_work", None, "alice"),
    ("my_work", None, "dave"),
    ("my_work", None, "carol"),
    ("inbox", None, "dave"),
    ("notification_list", None, "dave"),
    ("thread_detail", "thread", "dave"),
    ("thread_messages", "thread", "dave"),
    ("resource_map", None, "dave"),
    ("resource_results", None, "dave"),
    ("resource_list_own", None, "alice"),
    ("resource_detail", "resource", "alice"),
    ("request_list", None, "dave"),
    ("request_detail", "request", "dave"),
    ("agreement_list", None, "dave"),
    ("organisation_members", None, "alice"),
    ("event_log", None, "alice"),
    ("verification_queue", None, "carol"),
    ("run_list", "list", "carol"),
    ("run_detail", "run", "carol"),
    ("run_compare", "run", "carol"),
    ("run_map", "run", "carol"),
    ("my_matches", None, "dave"),
    ("line_matches", "line", "dave"),
    ("import_new", None, "alice"),
    ("bureau_desk", None, "carol"),
    ("bureau_objections", None, "carol"),
    ("bureau_lists:index", None, "carol"),
    ("bureau_lists:inspect", "list", "carol"),
    ("bureau_lines:index", None, "carol"),
    ("bureau_lines:inspect", "line", "carol"),
]
SLACK = 1  # a page of two parts may count its rows once more


def grow(world, demand_list, times: int) -> dict:
    """`times` more of everything; gives the keys of the first of each."""
    for i in range(times):
        tower = make.make_resource(world.power)
        CapacityPool.objects.create(resource=tower, unit="position", label="P2", height_m=31, total=2)
        line = make.make_line(demand_list, world.operator, place=tower.place, quantity=1)
        case = ask(world, tower)
        offer(world, case, price_fen=1_000 + i)
        agree(world, make.make_resource(world.power))
        make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
        make.make_user(f"Worker{world.power.memberships.count()}", world.power, "viewer")
        newcomer = make.make_organisation(f"New {line.pk}", verified=False)
        type(newcomer).objects.filter(pk=newcomer.pk).update(
            verification="submitted", submitted_at=timezone.now(), verification_due_at=timezone.now()
        )
        JoinRequest.objects.create(organisation=world.power, user=make.make_user(f"Joiner{line.pk}"))
        Invitation.objects.create(
            organisation=world.power, email=f"new{line.pk}@example.org", roles=["viewer"], invited_by=world.alice,
            expires_at=timezone.now() + dt.timedelta(days=5),
        )  # fmt: skip
        DisclosureGrant.objects.create(
            resource=tower, organisation=world.operator, purpose="survey", asked_by=world.dave
        )
        ImportJob.objects.create(
            organisation=world.power, file="t.csv", file_name="t.csv", file_sha256=f"{line.pk:064d}",
            created_by=world.alice,
        )  # fmt: skip
        with transaction.atomic():
            events.record("organisation.change", world.power, by=world.alice, organisation=world.power)
        messaging.notify(users=[world.dave], code="message.post", payload={}, url="/work/", key=f"grow{line.pk}")
    run = matching.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.execute(run.pk)
    return {"run": run.pk}


@pytest.fixture
def first(world):
    """The world with two of everything, and the keys that pages are asked for."""
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    grow(world, demand_list, 2)
    resource = make.make_resource(
        world.power, pools=[{"unit": "position", "label": "A", "total": Decimal(9), "height_m": 30}]
    )
    case = ask(world, resource, 1)
    return {
        "demand_list": demand_list, "list": demand_list.pk, "resource": resource.pk, "request": case.pk,
        "thread": messaging.thread_about(case).pk, "line": demand_list.lines.first().pk, "case": case,
    }  # fmt: skip


def counts(client_as, keys) -> dict:
    found = {}
    for name, key, who in PAGES:
        client = client_as(who)
        address = reverse(name, args=[keys[key]] if key else [])
        address += "?after=0" if name == "thread_messages" else ""
        client.get(address)  # warms content types and caches
        memory.forget()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, (name, who, answer.status_code)
        found[name, who] = len(queries)
    return found


def test_no_page_asks_more_for_more_rows(world, client_as, first):
    few = counts(client_as, first | grow(world, first["demand_list"], 0))
    more = grow(world, first["demand_list"], 8)
    case = first["case"]
    for i in range(6):  # a longer case: versions and messages
        offer(world, case, who="alice" if i % 2 == 0 else "dave", price_fen=2_000 + i)
    many = counts(client_as, first | more)
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page] + SLACK}
    assert not grown, grown
