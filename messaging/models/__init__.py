"""Threads, what is said in them, who was told, and what is still to be rung and mailed."""

from .marks import PresenceChoice, ReadMark
from .notices import Letter, MailChoice, NoticeChoice, Notification, ThreadChoice
from .outbox import OutboxEntry
from .threads import Attachment, Mention, Message, Thread, ThreadExport, ThreadParty

__all__ = [
    "Attachment",
    "Letter",
    "MailChoice",
    "Mention",
    "Message",
    "NoticeChoice",
    "Notification",
    "OutboxEntry",
    "PresenceChoice",
    "ReadMark",
    "Thread",
    "ThreadChoice",
    "ThreadExport",
    "ThreadParty",
]
