"""Set an organisation up, change its facts, switch between organisations."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import Event, Membership, Organisation
from tests.accounts.addresses import english
from tests.world import make_organisation, uscc

CODE = uscc(99_000_001)


def facts(**changes):
    return {
        "name_zh": "新设供电（虚构）",
        "name_en": "New Power",
        "uscc": CODE,
        "sector": "power",
        "region_province": "440000",
        "region_city": "440100",
        "region_county": "440106",
        **changes,
    }


def test_a_newcomer_sets_an_organisation_up_and_administers_it(client_as, world):
    client = client_as("nora")
    page = client.get(reverse("organisation_new"))
    assert page.status_code == 200
    assert b'name="region_province"' in page.content

    answer = client.post(reverse("organisation_new"), facts())

    organisation = Organisation.objects.get(uscc=CODE)
    assert answer.headers["Location"] == reverse("organisation_detail", args=[organisation.pk])
    assert organisation.region_id == "440106"
    assert organisation.verification == "unverified"
    membership = Membership.objects.get(organisation=organisation)
    assert membership.user == world.nora
    assert membership.roles == ["admin", "editor", "negotiator", "signatory"]
    event = Event.objects.get(verb="organisation.create")
    assert (event.actor, event.organisation) == (world.nora, organisation)
    assert event.after["uscc"] == CODE


def test_a_code_is_taken_as_people_copy_it(client_as, world):
    spaced = f" {CODE[:8].lower()} {CODE[8:]}-"
    client_as("nora").post(reverse("organisation_new"), facts(uscc=spaced))
    assert Organisation.objects.filter(uscc=CODE).exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"uscc": "123"}, "3 characters; a unified social credit code has 18"),
        ({"uscc": CODE[:17] + ("0" if CODE[17] != "0" else "1")}, "check character does not fit"),
        ({"uscc": "I" + CODE[1:]}, "cannot stand in a unified social credit code"),
        ({"region_province": "", "region_city": "", "region_county": ""}, "Choose a province"),
        ({"region": "449999", "region_province": ""}, "is not a division code we know"),
        ({"sector": "magic"}, "magic"),
        ({"name_zh": ""}, "required"),
    ],
)
def test_each_wrong_fact_is_named_and_nothing_is_stored(client_as, world, change, sentence):
    before = Organisation.objects.count()
    page = client_as("nora").post(english("organisation_new"), facts(**change))
    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert Organisation.objects.count() == before
    assert not Event.objects.exists()


def test_a_code_that_is_here_already_leads_to_joining(client_as, world):
    page = client_as("nora").post(english("organisation_new"), facts(uscc=world.power.uscc))
    assert "already here: join it instead" in page.content.decode()


def test_the_deepest_region_that_fits_counts(client_as, world):
    client_as("nora").post(reverse("organisation_new"), facts(region_province="330000"))
    assert Organisation.objects.get(uscc=CODE).region_id == "330000"  # the city and county belonged to another province


def test_without_javascript_the_next_select_comes_with_all_that_was_typed(client_as, world):
    page = client_as("nora").post(reverse("organisation_new"), facts(choose_region="1", uscc="typed", region_county=""))
    text = page.content.decode()
    assert 'value="typed"' in text
    assert '<option value="440106">' in text
    assert not Organisation.objects.filter(name_zh="新设供电（虚构）").exists()


def test_the_picker_is_the_same_partial_for_htmx(client, world):
    page = client.get(reverse("region_options"), {"picker": "region", "region_province": "440000"})
    text = page.content.decode()
    assert '<option value="440000" selected>' in text
    assert '<option value="440300">' in text
    assert "<html" not in text


@pytest.mark.parametrize("query", [{"picker": "x y"}, {"picker": "region", "region_province": "<b>"}])
def test_the_picker_takes_no_nonsense(client, world, query):
    assert client.get(reverse("region_options"), query).status_code == 404


def test_an_administrator_changes_the_facts_until_they_are_handed_in(client_as, world):
    client = client_as("uma")
    assert client.get(reverse("organisation_edit")).status_code == 200
    client.post(reverse("organisation_edit"), facts(name_en="Renamed"))
    world.unverified.refresh_from_db()
    assert world.unverified.name_en == "Renamed"
    event = Event.objects.get(verb="organisation.change")
    assert event.before["name_en"] == "Newcomer"

    client.post(reverse("organisation_submit_verification"))
    page = client.post(english("organisation_edit"), facts(name_en="Again"))
    assert "ask the bureau to send them back first" in page.content.decode()
    world.unverified.refresh_from_db()
    assert world.unverified.name_en == "Renamed"


def test_only_an_administrator_changes_facts(client_as, world):
    assert client_as("bob").get(reverse("organisation_edit")).status_code == 403
    assert client_as("bob").post(reverse("organisation_edit"), facts()).status_code == 403


def test_a_person_of_two_organisations_switches(client_as, world):
    Membership.objects.create(user=world.bob, organisation=world.operator, roles=["viewer"])
    client = client_as("bob")
    assert world.power.name_zh in client.get(reverse("my_work")).content.decode()
    answer = client.post(reverse("organisation_switch"), {"organisation": world.operator.pk, "next": "/profile/"})
    assert answer.headers["Location"] == "/profile/"
    assert world.operator.name_zh in client.get(reverse("organisation_members")).content.decode()


def test_nobody_switches_to_an_organisation_of_others(client_as, world):
    answer = client_as("bob").post(reverse("organisation_switch"), {"organisation": world.operator.pk})
    assert answer.status_code == 404


def test_switching_leads_nowhere_else(client_as, world):
    answer = client_as("bob").post(
        reverse("organisation_switch"), {"organisation": world.power.pk, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == reverse("my_work")


def test_the_public_page_shows_facts_to_everybody(client, world):
    page = client.get(reverse("organisation_detail", args=[world.power.pk]))
    assert world.power.uscc in page.content.decode()
    assert client.get(reverse("organisation_detail", args=[10**9])).status_code == 404


def test_the_note_of_a_bureau_is_for_the_organisation_alone(client, client_as, world):
    Organisation.objects.filter(pk=world.unverified.pk).update(verification="rejected", verification_note="印章不清")
    url = reverse("organisation_detail", args=[world.unverified.pk])
    assert "印章不清" in client_as("uma").get(url).content.decode()
    for reader in (client, client_as("eve")):
        assert "印章不清" not in reader.get(url).content.decode()


def test_one_code_one_organisation(world):
    twin = make_organisation("Twin", verified=False)
    with pytest.raises(IntegrityError, match="uscc"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_organisation SET uscc = %s WHERE id = %s", [world.power.uscc, twin.pk])
