"""{% csrf_token %} that also works in a partial included with `only` (a built-in of our templates).

Django drops what context processors give from such a partial, the token with it, and says nothing:
the form would then be refused. The request itself is still at hand.
"""

from django import template
from django.middleware.csrf import get_token
from django.utils.html import format_html

register = template.Library()


@register.simple_tag(takes_context=True)
def csrf_token(context) -> str:
    """The hidden field of a POST form; empty where a template is rendered without a request (mail, PDF)."""
    request = getattr(context, "request", None)
    token = str(context.get("csrf_token") or "") or (get_token(request) if request else "")
    if not token or token == "NOTPROVIDED":
        return ""
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)
