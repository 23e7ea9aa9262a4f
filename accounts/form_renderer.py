"""Inputs, selects and text areas written in Python: a form of a hundred fields spends half its time in their templates.

The same markup as Django's own templates of these names, which a test compares; every other widget keeps its template.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_FOLDER = "django/forms/widgets/"
_INPUTS = (
    "input", "text", "number", "email", "url", "password", "hidden", "date", "datetime", "time", "checkbox", "file",
)  # fmt: skip


def _attributes(attrs: Mapping[str, Any]) -> str:
    """With a space before each; True stands alone, False is left out."""
    return "".join(
        f" {conditional_escape(name)}"
        if value is True
        else f' {conditional_escape(name)}="{conditional_escape(value)}"'
        for name, value in attrs.items()
        if value is not False
    )


def _input(widget: Mapping[str, Any]) -> str:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    name = conditional_escape(widget["name"])
    return f'<input type="{conditional_escape(widget["type"])}" name="{name}"{value}{_attributes(widget["attrs"])}>'


def _option(widget: Mapping[str, Any]) -> str:
    value, label = conditional_escape(widget["value"]), conditional_escape(widget["label"])
    return f'  <option value="{value}"{_attributes(widget["attrs"])}>{label}</option>\n'


def _select(widget: Mapping[str, Any]) -> str:
    parts = [f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget["attrs"])}>\n']
    for group, options, _index in widget["optgroups"]:
        inner = "".join(map(_option, options))
        parts.append(f'  <optgroup label="{conditional_escape(group)}">\n{inner}  </optgroup>\n' if group else inner)
    return "".join([*parts, "</select>"])


def _textarea(widget: Mapping[str, Any]) -> str:
    text = conditional_escape(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{conditional_escape(widget["name"])}"{_attributes(widget["attrs"])}>\n{text}</textarea>'


_WRITTEN: dict[str, Callable[[Mapping[str, Any]], str]] = {
    **{f"{_FOLDER}{name}.html": _input for name in _INPUTS},
    f"{_FOLDER}select.html": _select,
    f"{_FOLDER}textarea.html": _textarea,
}
_OPTION = f"{_FOLDER}select_option.html"


class FormRenderer(DjangoTemplates):
    """Django's renderer, quicker for the plain widgets."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> SafeString:
        """The widget's markup; context: {"widget": its own}, as Widget.get_context gives it."""
        write = _WRITTEN.get(template_name)
        widget = context.get("widget", {})
        if write is None or (write is _select and not _is_plain(widget)):
            return mark_safe(super().render(template_name, context, request=request))
        return mark_safe(write(widget))  # noqa: S308 -- every part is escaped above


def _is_plain(select: Mapping[str, Any]) -> bool:
    return all(
        option["template_name"] == _OPTION for _group, options, _index in select["optgroups"] for option in options
    )
