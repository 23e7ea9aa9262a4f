"""Who is called by name in a message: "@" and the name of somebody who takes part."""

from messaging.models import Message
from messaging.people import people_in


def mentioned_in(message: Message) -> list[int]:
    """Ids of the people who take part and are called in the body, the author excepted. Queries once."""
    return [
        user.pk
        for user in people_in(message.thread)
        if user.pk != message.author_id and f"@{user}".casefold() in message.body.casefold()
    ]
