"""The guide to the method, docs/matching*.md, as HTML. A small part of Markdown: what those two files use."""

import re
from functools import cache

from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

FILES = {"zh": "matching.zh.md", "en": "matching.md"}


@cache
def page(language: str) -> tuple[str, SafeString]:
    """(title, body) in "zh" or "en". Raises KeyError for another language."""
    text = (settings.BASE_DIR / "docs" / FILES[language]).read_text(encoding="utf-8")
    blocks = [block.strip() for block in text.split("\n\n") if block.strip()]
    title = blocks[0].removeprefix("# ")
    return title, mark_safe("\n".join(_block(block) for block in blocks[1:]))  # noqa: S308  every word was escaped


def _block(block: str) -> str:
    head, _, rest = block.partition("\n")
    if head.startswith("## "):
        return f"<h2>{_words(head[3:])}</h2>" + (_block(rest) if rest else "")
    if head.startswith("|"):
        rows = [[_words(cell.strip()) for cell in line.strip("|").split("|")] for line in block.splitlines()]
        top = "".join(f'<th scope="col">{cell}</th>' for cell in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[2:])
        return (
            '<div class="table-responsive"><table class="table">'
            f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
        )
    if head.startswith("- "):
        return "<ul>" + "".join(f"<li>{_words(line[2:])}</li>" for line in block.splitlines()) + "</ul>"
    return f"<p>{_words(block)}</p>"


def _words(text: str) -> str:
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
