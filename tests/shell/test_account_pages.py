"""Every page of signing in and of one's own account renders in our frame, in both languages, with nothing inline."""

import secrets

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client, RequestFactory

from .pages import inline_code

pytestmark = pytest.mark.django_db

ENTRANCE = [
    "login/", "signup/", "password/reset/", "password/reset/done/", "password/reset/key/done/", "inactive/",
    "password/reset/key/1-bad/",
]  # fmt: skip
MANAGE = [
    "email/", "password/change/", "logout/", "reauthenticate/", "2fa/", "2fa/totp/activate/",
    "2fa/recovery-codes/generate/",
]  # fmt: skip
WITH_TOTP = [
    "2fa/",
    "2fa/totp/deactivate/",
    "2fa/recovery-codes/",
    "2fa/recovery-codes/generate/",
    "2fa/reauthenticate/",
]
LANGUAGES = [("", "zh-Hans"), ("/en", "en")]


@pytest.fixture(autouse=True)
def _no_rate_limits(settings):
    """They are counted in Redis, which outlives a test."""
    settings.ACCOUNT_RATE_LIMITS = False


def check(answer, lang: str) -> None:
    html = answer.content.decode()
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in html
    assert 'id="main"' in html
    assert html.count("<h1") == 1
    assert inline_code(html) == []


def sure(client: Client, user) -> Client:
    """The person has just given the password again."""
    request = RequestFactory().get("/")
    request.session = client.session
    record_authentication(request, user, method="password", reauthenticated=True, email=user.email)
    request.session.save()
    return client


@pytest.mark.parametrize(("prefix", "lang"), LANGUAGES)
@pytest.mark.parametrize("path", ENTRANCE)
def test_on_the_way_in(client, path, prefix, lang):
    check(client.get(f"{prefix}/accounts/{path}", follow=True), lang)


@pytest.mark.parametrize(("prefix", "lang"), LANGUAGES)
@pytest.mark.parametrize("path", MANAGE)
def test_ones_own_account(world, client_as, path, prefix, lang):
    check(sure(client_as("bob"), world.bob).get(f"{prefix}/accounts/{path}", follow=True), lang)


@pytest.mark.parametrize(("prefix", "lang"), LANGUAGES)
@pytest.mark.parametrize("path", WITH_TOTP)
def test_with_two_steps(world, client_as, path, prefix, lang):
    client = sure(client_as("bob"), world.bob)
    TOTP.activate(world.bob, generate_totp_secret())
    RecoveryCodes.activate(world.bob)
    check(client.get(f"{prefix}/accounts/{path}"), lang)


@pytest.mark.parametrize(("prefix", "lang"), LANGUAGES)
def test_the_second_step(world, client, prefix, lang):
    from tests.world import PASSWORD

    TOTP.activate(world.bob, generate_totp_secret())
    answer = client.post(f"{prefix}/accounts/login/", {"login": world.bob.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{prefix}/accounts/2fa/authenticate/"
    check(answer, lang)


@pytest.mark.parametrize(("prefix", "lang"), LANGUAGES)
def test_signing_up_leads_to_the_code(world, client, prefix, lang, mailoutbox):
    answer = client.post(
        f"{prefix}/accounts/signup/",
        {"name": "New", "email": "new@example.org", "password1": "a long one 77x", "password2": "a long one 77x"},
        follow=True,
    )
    check(answer, lang)
    assert 'name="code"' in answer.content.decode()
    assert mailoutbox[0].subject.startswith("[共建 Gongjian]")
    assert "Hello from" not in mailoutbox[0].body


def test_errors_are_linked_to_their_fields(client):
    html = client.post("/en/accounts/signup/", {"name": "", "email": "no", "password1": "1"}).content.decode()
    for name in ("name", "email", "password1"):
        assert f'href="#id_{name}"' in html


def test_too_many_attempts_are_answered_in_plain_words(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    answers = [client.post("/en/accounts/signup/", {"email": "x"}, REMOTE_ADDR=address) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "Wait a few minutes" in answers[1].content.decode()
