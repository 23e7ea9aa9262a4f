"""Open threads, say things in them, tell people. PostgreSQL is the truth; sockets are rung on commit."""

from .choices import choose_mail, choose_presence, unsubscribe
from .exports import ask_export
from .marks import mark, mark_read
from .notices import notify, people_of
from .talk import MESSAGE_MAX_CHARS, correct, post, retract, tell
from .threads import ask_bureau, close, join, leave, open_thread, reopen, thread_about

__all__ = [
    "MESSAGE_MAX_CHARS",
    "ask_bureau",
    "ask_export",
    "choose_mail",
    "choose_presence",
    "close",
    "correct",
    "join",
    "leave",
    "mark",
    "mark_read",
    "notify",
    "open_thread",
    "people_of",
    "post",
    "reopen",
    "retract",
    "tell",
    "thread_about",
    "unsubscribe",
]
