"""Notifications name organisations in the reader's language."""

from django.utils.translation import override

from messaging.wording import words


def test_a_notice_names_the_organisation_in_the_readers_language():
    payload = {"organisation": "明珠供电（虚构）", "organisation_en": "Pearl Power (fictional)", "request": "R-1"}
    with override("en"):
        assert "Pearl Power (fictional)" in words("notice.request.make", payload)
        assert "明珠供电（虚构）" in words("notice.request.make", payload | {"organisation_en": ""})
    with override("zh-hans"):
        assert "明珠供电（虚构）" in words("notice.request.make", payload)
