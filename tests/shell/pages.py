"""What the strict content security policy would refuse, found in rendered HTML."""

import re

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>", re.I)
_DATA_TYPES = ("application/json", "application/ld+json")


def inline_code(html: str) -> list[str]:
    """Inline scripts, style elements, style attributes, on… handlers and javascript: addresses; empty when clean."""
    scripts = [tag for tag in _INLINE_SCRIPT.findall(html) if not any(kind in tag for kind in _DATA_TYPES)]
    return [
        *scripts,
        *re.findall(r"<style\b[^>]*>", html, re.I),
        *re.findall(r"<[^>]+\sstyle\s*=\s*[\"'][^>]*>", html, re.I),
        *re.findall(r"<[^>]+\son[a-z]+\s*=\s*[\"'][^>]*>", html, re.I),
        *re.findall(r"<[^>]+\shx-on[^>]*>", html, re.I),
        *re.findall(r"(?:href|src|action)\s*=\s*[\"']javascript:[^>]*>", html, re.I),
    ]
