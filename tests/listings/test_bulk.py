"""Acts on many: the same rule per row as for one, nothing before it is confirmed, all of it taken back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db.models import Count
from django.http import QueryDict
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings import selection
from listings.actions import bulk
from listings.models import BulkJob, BulkRow, Resource
from tests import world as make
from tests.listings.supply import hold, save

State = BulkJob.State


def start(membership, verb="edit", query="", **changes):
    return bulk.start(membership=membership, verb=verb, query=query, changes=changes)


def verdicts(job):
    return dict(job.rows.order_by().values_list("verdict").annotate(n=Count("pk")))


def towers(world, count=3, **fields):
    return [make.make_resource(world.power, **fields) for _ in range(count)]


def test_a_change_is_looked_over_confirmed_and_taken_back(world):
    alice = world.as_["alice"]
    first, second, third = towers(world, disclosure="exact", condition="good")
    Resource.objects.filter(pk=third.pk).update(condition="poor")
    job = start(alice, condition="poor", access_note="Call before", available_until="2027-05-01")
    assert job.state == State.READY
    assert verdicts(job) == {"change": 3}
    assert Resource.objects.get(pk=first.pk).condition == "good", "nothing before it is confirmed"
    row = job.rows.get(resource=first)
    assert row.before == {"condition": "good", "access_note": "", "available_until": None}
    assert row.after == {"condition": "poor", "access_note": "Call before", "available_until": "2027-05-01"}
    job = bulk.confirm(job=job, membership=alice)
    assert (job.state, verdicts(job)) == (State.DONE, {"done": 3})
    changed = Resource.objects.get(pk=first.pk)
    assert (changed.condition, changed.available_until) == ("poor", dt.date(2027, 5, 1))
    events = Event.objects.filter(verb="resource.update", subject_id=str(first.pk))
    assert events.get().after["condition"] == "poor"
    assert events.get().actor == world.alice
    job = bulk.undo(job=job, membership=alice)
    assert (job.state, verdicts(job)) == (State.UNDONE, {"undone": 3})
    back = Resource.objects.get(pk=first.pk)
    assert (back.condition, back.access_note, back.available_until) == ("good", "", None)
    assert Resource.objects.get(pk=third.pk).condition == "poor"
    assert Event.objects.filter(verb="bulk.undo").count() == 1


def test_the_rule_of_one_is_the_rule_of_many(world):
    general, important = (
        make.make_resource(world.power),
        make.make_resource(world.power, grade="important", disclosure="blurred"),
    )
    retired = make.make_resource(world.power, state="retired")
    job = start(world.as_["alice"], disclosure="exact")
    assert job.rows.get(resource=general).verdict == "same"
    refused = job.rows.get(resource=important)
    assert refused.verdict == "refused"
    assert "Important data may be blurred at most" in refused.reasons[0]["en"]
    assert "重要数据" in refused.reasons[0]["zh-hans"]
    assert job.rows.get(resource=retired).verdict == "refused"
    with pytest.raises(Refused, match="nothing to do"):
        bulk.confirm(job=job, membership=world.as_["alice"])


def test_dates_out_of_order_are_refused_per_row(world):
    ends = make.make_resource(world.power, available_until=dt.date(2027, 1, 1))
    open_ended = make.make_resource(world.power)
    job = start(world.as_["alice"], available_from="2028-01-01")
    assert job.rows.get(resource=ends).verdict == "refused"
    assert job.rows.get(resource=open_ended).verdict == "change"


def test_prices_change_by_share_and_come_back(world):
    alice = world.as_["alice"]
    tower = save(alice, "tower", owner_code="P-1")
    pool = tower.pools.get()
    free = make.make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 2}])
    priced = make.make_resource(world.power)
    room = make.make_resource(world.power, "room")
    job = start(alice, price={"how": "percent", "unit": "position", "percent": "-5"})
    assert job.rows.get(resource=priced).verdict == "change"
    assert job.rows.get(resource=free).verdict == job.rows.get(resource=tower).verdict == "same"
    assert "no capacity in the unit" in job.rows.get(resource=room).reasons[0]["en"]
    bulk.confirm(job=job, membership=alice)
    assert priced.pools.get().price_fen_per_unit_year == 1_140_000
    priced.tally.refresh_from_db()
    assert priced.tally.price_fen == 1_140_000
    job.refresh_from_db()
    bulk.undo(job=job, membership=alice)
    assert priced.pools.get().price_fen_per_unit_year == 1_200_000
    job = start(alice, price={"how": "set", "unit": "position", "yuan": "12.5"})
    bulk.confirm(job=job, membership=alice)
    pool.refresh_from_db()
    assert pool.price_fen_per_unit_year == 1250
    job.refresh_from_db()
    bulk.undo(job=job, membership=alice)
    pool.refresh_from_db()
    assert pool.price_fen_per_unit_year is None


def test_modes_and_manager(world):
    alice = world.as_["alice"]
    tower, room = make.make_resource(world.power, sharing_modes=["same_site"]), make.make_resource(world.power, "room")
    modes = {"how": "add", "modes": ["same_pole_line", "co_location"]}
    job = start(alice, sharing_modes=modes, manager=world.operator.pk)
    bulk.confirm(job=job, membership=alice)
    tower.refresh_from_db()
    room.refresh_from_db()
    assert tower.sharing_modes == ["same_site", "same_pole_line"]
    assert room.sharing_modes == ["co_location"]
    assert tower.manager == world.operator
    job = start(alice, sharing_modes={"how": "set", "modes": ["core_swap"]})
    assert verdicts(job) == {"refused": 2}
    job = start(alice, manager=None)
    bulk.confirm(job=job, membership=alice)
    tower.refresh_from_db()
    assert tower.manager is None


def test_what_changed_since_is_kept_and_named(world):
    alice = world.as_["alice"]
    early, late, plain = towers(world)
    job = start(alice, condition="fair")
    save(alice, resource=early, data={"name": "Renamed"}, pools=None)
    job = bulk.confirm(job=job, membership=alice)
    assert job.rows.get(resource=early).verdict == "kept"
    assert "after it was looked over" in job.rows.get(resource=early).reasons[0]["en"]
    save(alice, resource=Resource.objects.get(pk=late.pk), data={"condition": "poor"}, pools=None)
    job = bulk.undo(job=job, membership=alice)
    assert job.rows.get(resource=late).verdict == "kept"
    assert Resource.objects.get(pk=late.pk).condition == "poor"
    assert Resource.objects.get(pk=plain.pk).condition == "unknown"


def test_publish_many_with_reasons_and_back(world):
    alice = world.as_["alice"]
    drafts = towers(world, 2, state="draft")
    Resource.objects.filter(pk__in=[d.pk for d in drafts]).update(published_at=None)
    empty = make.make_resource(world.power, state="draft", pools=[])
    there = make.make_resource(world.power)
    job = start(alice, "publish")
    assert {r.resource_id: r.verdict for r in job.rows.all()} == {
        drafts[0].pk: "change", drafts[1].pk: "change", empty.pk: "refused", there.pk: "same",
    }  # fmt: skip
    bulk.confirm(job=job, membership=alice)
    drafts[0].refresh_from_db()
    assert drafts[0].state == "published"
    assert drafts[0].published_at is not None
    hold(drafts[1].pools.get(), world.operator, 1)
    job.refresh_from_db()
    job = bulk.undo(job=job, membership=alice)
    drafts[0].refresh_from_db()
    drafts[1].refresh_from_db()
    assert (drafts[0].state, drafts[0].published_at) == ("draft", None)
    assert drafts[1].state == "published", "reserved since: it stays"
    assert Event.objects.filter(verb="resource.publish_undone").count() == 1


def test_suspend_and_back(world):
    (tower,) = towers(world, 1)
    job = start(world.as_["bob"], "suspend", f"pk={tower.pk}")
    job = bulk.confirm(job=job, membership=world.as_["bob"])
    tower.refresh_from_db()
    assert tower.state == "suspended"
    bulk.undo(job=job, membership=world.as_["bob"])
    tower.refresh_from_db()
    assert tower.state == "published"


def test_who_may_and_what_is_chosen(world):
    towers(world, 1)
    with pytest.raises(NotPermitted):
        start(world.as_["vera"], condition="good")
    with pytest.raises(Refused, match="at least one value"):
        start(world.as_["alice"])
    with pytest.raises(Refused, match="Tick at least one"):
        start(world.as_["eve"], condition="good")
    make.make_resource(world.unverified, state="draft")
    with pytest.raises(Refused, match="verified"):
        start(world.as_["uma"], "publish")
    job = start(world.as_["alice"], condition="good")
    with pytest.raises(NotPermitted):
        bulk.confirm(job=job, membership=world.as_["vera"])
    with pytest.raises(NotPermitted):
        bulk.confirm(job=job, membership=world.as_["eve"])
    with pytest.raises(Refused, match="not open"):
        bulk.undo(job=job, membership=world.as_["alice"])


def test_another_owners_rows_are_never_chosen(world):
    foreign = make.make_resource(world.evil)
    own = make.make_resource(world.power)
    job = start(world.as_["alice"], query=f"pk={foreign.pk}&pk={own.pk}", condition="good")
    assert list(job.rows.values_list("resource_id", flat=True)) == [own.pk]


def test_cancelled_on_the_way_what_is_done_can_be_taken_back(world, monkeypatch):
    alice = world.as_["alice"]
    rows = towers(world, 5)
    monkeypatch.setattr(bulk, "CHUNK", 2)
    job = start(alice, condition="fair")
    real = bulk._store_chunk

    def cancelled_meanwhile(current):
        went = real(current)
        BulkJob.objects.filter(pk=current.pk).update(is_cancel_asked=True)
        return went

    monkeypatch.setattr(bulk, "_store_chunk", cancelled_meanwhile)
    job = bulk.confirm(job=job, membership=alice)
    assert (job.state, verdicts(job)) == (State.CANCELLED, {"done": 2, "change": 3})
    job = bulk.undo(job=job, membership=alice)
    assert verdicts(job) == {"undone": 2, "change": 3}
    assert set(Resource.objects.filter(pk__in=[r.pk for r in rows]).values_list("condition", flat=True)) == {"unknown"}


def test_a_dead_worker_is_replaced_and_nothing_is_done_twice(world, monkeypatch):
    alice = world.as_["alice"]
    towers(world, 3)
    monkeypatch.setattr(bulk, "CHUNK", 1)
    job = start(alice, condition="fair")
    monkeypatch.setattr(bulk, "INLINE_ROWS", 0)
    job = bulk.confirm(job=job, membership=alice)
    assert job.state == State.STORING
    BulkJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - dt.timedelta(minutes=9))
    assert bulk.take_up() == 1
    job.refresh_from_db()
    assert job.state == State.DONE
    assert Event.objects.filter(verb="resource.update").count() == 3
    assert bulk.take_up() == 0


def test_many_rows_cost_few_queries(world, django_assert_max_num_queries):
    rows = towers(world, 40)
    alice = world.as_["alice"]
    with django_assert_max_num_queries(45):
        job = start(alice, query="&".join(f"pk={r.pk}" for r in rows), condition="fair")
    with django_assert_max_num_queries(45):
        bulk.confirm(job=job, membership=alice)


def test_pages_from_the_list_to_the_undo(world, client_as):
    drafts = towers(world, 2, state="draft")
    empty = make.make_resource(world.power, state="draft", pools=[], name="=Empty", owner_code="=E-1")
    foreign = make.make_resource(world.evil, state="draft")
    bob = client_as("bob")
    address = "/en/resources/bulk/"
    assert "Tick at least one" in bob.post(address, {"act": "publish"}, follow=True).content.decode()
    tick = {"act": "explode", "pk": drafts[0].pk}
    assert "Choose what to do" in bob.post(address, tick, follow=True).content.decode()
    page = bob.post(address, {"act": "publish", "scope": "all", "state": "draft"}, follow=True)
    text = page.content.decode()
    assert "Publish 2 resources" in text
    assert "it has no capacity yet" in text
    job = BulkJob.objects.get()
    refused = b"".join(bob.get(f"{address}{job.pk}/refused/").streaming_content).decode()
    assert "'=E-1 · =Empty" in refused
    done = bob.post(f"{address}{job.pk}/confirm/", follow=True).content.decode()
    assert "Take all of it back" in done
    assert set(Resource.objects.filter(pk__in=[d.pk for d in drafts]).values_list("state", flat=True)) == {"published"}
    assert Resource.objects.get(pk=foreign.pk).state == "draft"
    bob.post(f"{address}{job.pk}/undo/")
    assert Resource.objects.get(pk=drafts[0].pk).state == "draft"
    assert client_as("eve").get(f"{address}{job.pk}/").status_code == 404
    assert empty.state == "draft"


def test_the_form_takes_only_what_is_ticked(world, client_as):
    (tower,) = towers(world, 1)
    bob = client_as("bob")
    form = bob.post("/en/resources/bulk/", {"act": "edit", "pk": tower.pk}, follow=True)
    assert "1 resource chosen" in form.content.decode()
    query = f"pk={tower.pk}"
    nothing = bob.post("/en/resources/bulk/edit/", {"query": query, "condition": "poor"})
    assert nothing.status_code == 422
    assert "Tick what is to be changed" in nothing.content.decode()
    wrong = {"query": query, "change_price": "on", "price_how": "set", "price_value": "-1", "price_unit": "position"}
    assert "not below 0" in bob.post("/en/resources/bulk/edit/", wrong).content.decode()
    right = {
        "query": query, "change_condition": "on", "condition": "poor", "change_price": "on", "price_how": "set",
        "price_value": "100", "price_unit": "position", "change_manager": "on", "manager_name": "Southern Telecom",
        "source": "not ticked",
    }  # fmt: skip
    page = bob.post("/en/resources/bulk/edit/", right, follow=True).content.decode()
    assert BulkJob.objects.get().changes == {
        "condition": "poor", "price": {"how": "set", "unit": "position", "yuan": "100"}, "manager": world.operator.pk,
    }  # fmt: skip
    assert "Change 1 resource" in page
    assert "<del>¥12,000</del> → <ins>¥100</ins>" in page
    assert "<del>the owner</del> → <ins>Southern Telecom</ins>" in page
    bob.post(f"/en/resources/bulk/{BulkJob.objects.get().pk}/cancel/")
    assert BulkRow.objects.count() == 0
    assert tower.pools.get().price_fen_per_unit_year == Decimal(1_200_000)


def test_ticked_rows_and_the_filter_read_alike(world):
    make.make_resource(world.power, "room", name="Room here")
    assert selection.own_rows(world.as_["alice"], QueryDict("kind=room")).count() == 1
    assert selection.own_rows(world.as_["alice"], QueryDict("pk=x&pk=²")).count() == 1, "no number: the filter holds"
