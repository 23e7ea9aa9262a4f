"""The widgets written in Python are those of Django's templates."""

import datetime as dt

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from accounts.form_renderer import FormRenderer

CHOICES = [("", "---"), ("a", "<A & B>"), (3, 'says "3"'), ("Group <1>", [("g1", "in it"), ("g2", mark_safe("<b>"))])]


class Coloured(forms.Select):
    option_template_name = "django/forms/widgets/checkbox_option.html"


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.TextInput(), None),
        (forms.TextInput(), ""),
        (forms.TextInput(), '"><script>alert(1)</script>'),
        (forms.TextInput(), gettext_lazy("Save")),
        (forms.NumberInput({"step": 0.5, "min": 0}), 1_234_567.5),
        (forms.EmailInput(), "a&b@example.org"),
        (forms.URLInput(), "https://example.org/?a=1&b=2"),
        (forms.PasswordInput(), "secret"),
        (forms.HiddenInput(), 12_345),
        (forms.DateInput(), dt.date(2026, 2, 3)),
        (forms.DateTimeInput(), dt.datetime(2026, 2, 3, 4, 5)),
        (forms.TimeInput(), dt.time(4, 5)),
        (forms.CheckboxInput(), True),
        (forms.CheckboxInput(), "yes"),
        (forms.FileInput(), None),
        (forms.Select(choices=CHOICES), "a"),
        (forms.Select(choices=CHOICES), 3),
        (forms.SelectMultiple(choices=CHOICES), ["a", "g2"]),
        (forms.NullBooleanSelect(), True),
        (Coloured(choices=CHOICES), "a"),
        (forms.Textarea(), "\nline <1>\n</textarea>"),
        (forms.Textarea(), None),
        (forms.RadioSelect(choices=CHOICES[:3]), "a"),
    ],
)
def test_markup_is_that_of_djangos_templates(widget, value):
    attrs = {"id": "id_x", "required": True, "disabled": False, "data-x": '<"&>', "maxlength": 1_200}
    ours = widget.render("x&y", value, attrs=attrs, renderer=FormRenderer())
    theirs = widget.render("x&y", value, attrs=attrs, renderer=DjangoTemplates())
    assert parse_html(ours) == parse_html(theirs)
    assert ours.count("<script") == 0


def test_it_is_the_one_in_use(settings):
    assert settings.FORM_RENDERER == "accounts.form_renderer.FormRenderer"
    assert type(forms.Form().renderer) is FormRenderer
