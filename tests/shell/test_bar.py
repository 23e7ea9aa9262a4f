"""The frame of every page: what the bar shows to whom, and what it costs."""

import re

import pytest
from django.test import Client

from accounts import memory
from accounts.models import Membership, Organisation
from messaging.models import Message, Notification, ReadMark, Thread, ThreadParty

from .pages import inline_code

pytestmark = pytest.mark.django_db


def page(client, path="/en/accounts/password/change/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def make_thread(world, *, messages: int) -> Thread:
    from django.contrib.contenttypes.models import ContentType

    subject = world.power
    thread = Thread.objects.create(
        subject_type=ContentType.objects.get_for_model(Organisation), subject_id=subject.pk, title="T",
        last_number=messages,
    )  # fmt: skip
    ThreadParty.objects.create(thread=thread, organisation=world.power)
    return thread


def test_a_visitor_is_offered_to_sign_in(client):
    html = page(client, "/en/accounts/login/")
    assert "/en/accounts/signup/" in html
    assert "/en/work/" not in html
    assert inline_code(html) == []


def test_a_member_has_work_messages_and_a_way_out(client_as):
    html = page(client_as("bob"))
    for path in ("/en/work/", "/en/messages/", "/en/notifications/", "/en/resources/", "/en/profile/"):
        assert f'href="{path}"' in html
    assert 'action="/en/accounts/logout/"' in html
    assert "/en/cms/" not in html
    assert inline_code(html) == []


def test_a_bureaus_member_finds_the_desk_and_the_verification_queue(client_as):
    html = page(client_as("carol"))
    assert 'href="/en/cms/"' in html
    assert 'href="/en/verification/"' in html


def test_somebody_without_organisation_is_shown_the_two_ways_in(client_as):
    html = page(client_as("nora"))
    assert "/en/organisations/new/" in html
    assert "/en/organisations/join/" in html


def test_the_switcher_shows_only_where_there_is_a_choice(world, client_as):
    assert "/organisations/switch/" not in page(client_as("dave"))
    Membership.objects.create(user=world.dave, organisation=world.power, roles=["viewer"])
    assert "/organisations/switch/" in page(client_as("dave"))


def test_the_switcher_switches_and_comes_back(world):
    """With the CSRF check on: the form in the bar is a partial included with `only`."""
    Membership.objects.create(user=world.dave, organisation=world.power, roles=["viewer"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.dave, backend="accounts.backends.PasswordBackend")
    html = page(client, "/en/accounts/email/?x=1")
    form = re.search(r'<form class="gj-menu-panel".*?</form>', html, re.S).group(0)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    answer = client.post(
        "/en/organisations/switch/",
        {"csrfmiddlewaretoken": fields["csrfmiddlewaretoken"], "next": fields["next"], "organisation": world.power.pk},
    )
    assert (answer.status_code, answer.url) == (302, "/en/accounts/email/?x=1")
    assert client.get("/en/accounts/email/").context["membership"].organisation == world.power


def test_unread_conversations_are_counted_until_read(world, client_as):
    thread = make_thread(world, messages=2)
    for number in (1, 2):
        Message.objects.create(
            thread=thread, number=number, author=world.alice, organisation=world.power, body="x",
            client_uuid=f"00000000-0000-0000-0000-00000000000{number}",
        )  # fmt: skip
    client = client_as("bob")
    assert client.get("/en/accounts/email/").context["unread_threads"] == 1
    mark = ReadMark.objects.create(thread=thread, user=world.bob, last_number=1, delivered_number=1)
    assert client.get("/en/accounts/email/").context["unread_threads"] == 1
    mark.last_number = mark.delivered_number = 2
    mark.save()
    assert client.get("/en/accounts/email/").context["unread_threads"] == 0


def test_another_organisations_conversation_is_not_counted(world, client_as):
    make_thread(world, messages=2)
    assert client_as("eve").get("/en/accounts/email/").context["unread_threads"] == 0


def test_unread_notifications_are_ones_own(world, client_as):
    Notification.objects.create(user=world.bob, code="x.y", url="/", key="1")
    assert "1<span" in page(client_as("bob")).split("gj-bell")[1][:700]
    assert client_as("dave").get("/en/accounts/email/").context["unread_notifications"] == 0


def test_the_demonstration_world_says_so(world, client):
    assert "gj-demo" not in page(client, "/en/accounts/login/")
    Organisation.objects.filter(pk=world.power.pk).update(is_demo=True)
    memory.forget()  # it would be told half a minute later
    assert "gj-demo" in page(client, "/en/accounts/login/")


def test_the_frame_costs_the_same_however_many_organisations_and_notices(
    world, client_as, django_assert_max_num_queries
):
    from tests.world import make_organisation

    client = client_as("bob")
    for number in range(6):
        organisation = make_organisation(f"Extra {number}")
        Membership.objects.create(user=world.bob, organisation=organisation, roles=["viewer"])
        Notification.objects.create(user=world.bob, code="x.y", url="/", key=str(number))
    client.get("/en/accounts/email/")  # Wagtail keeps its root paths after the first page
    with django_assert_max_num_queries(12):
        page(client)


def test_the_language_switch_keeps_path_and_query(client):
    assert 'href="/accounts/login/?next=/work/"' in page(client, "/en/accounts/login/?next=/work/")
    assert 'href="/en/accounts/login/?next=/work/"' in page(client, "/accounts/login/?next=/work/")


def test_the_standards_and_guides_links_wait_for_their_pages(world, client):
    from django.core.management import call_command

    from cms.models import ArticlePage

    assert "/standards/" not in page(client, "/accounts/login/")
    call_command("ensure_site", verbosity=0)
    memory.forget()
    for slug in ("standards", "guides"):
        for prefix, language in (("", "zh-hans"), ("/en", "en")):
            article = ArticlePage.objects.filter(slug=slug, locale__language_code=language).first()
            link = f'href="{prefix}/{slug}/"'
            assert (link in page(client, f"{prefix}/accounts/login/")) is bool(article and article.live)
            if article:
                article.unpublish()
                memory.forget()
                assert link not in page(client, f"{prefix}/accounts/login/")
