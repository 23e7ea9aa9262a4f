"""The socket at /ws/bell/: push only. It rings with ids, and brings what was said to pages that name their language;
whatever is lost of it is pulled by HTTP.

Written against ASGI itself and not on Channels' consumer: no queue and no group per socket, one task, and the rights
of all who come at once in two queries (docs/adr/0020).
"""

import asyncio

from django.conf import settings
from django.http import parse_cookie
from django.http.request import QueryDict

from accounts.numbers import row_id

from .hub import hub_here
from .origins import is_own_origin
from .rights import SIGNED_OUT, Card
from .socket import Socket

FRAME_MAX_BYTES = 64 * 1024
FRAMES_MAX_PER_MINUTE = 60  # nothing is to be said here; a browser sends none
TOO_LARGE, TOO_MANY, TRY_LATER = 1009, 1008, 1013


async def bell(scope, receive, send):
    """One socket per page at /ws/bell/?thread=<id>&lang=<language>: rings for the person, and for that thread if it may
    be read. With a language the page is brought the messages too.

    A handshake from another origin, without a session or for somebody else's thread is refused (403).
    """
    if (await receive())["type"] != "websocket.connect":
        return
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    asked = QueryDict(scope["query_string"])
    session_key = parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME, "")
    card = Card(session_key, row_id(asked.get("thread")))
    language = next((code for code, _ in settings.LANGUAGES if code == asked.get("lang", "").lower()), "")
    if not is_own_origin(headers, scope) or not card.session_key:
        await send({"type": "websocket.close", "code": SIGNED_OUT})
        return
    hub = hub_here()
    asked_at = hub.loop.time()
    try:
        admission = await hub.admit(card)
    except ConnectionError:
        await send({"type": "websocket.close", "code": TRY_LATER})
        return
    if isinstance(admission, int):
        await send({"type": "websocket.close", "code": admission})
        return
    await send({"type": "websocket.accept"})
    socket = Socket(card, admission, send, language)
    del headers, scope, admission, asked  # an idle socket keeps nothing it does not need
    hub.add(socket, asked_at)
    try:
        await _stay(receive, socket)
    finally:
        hub.remove(socket)


async def _stay(receive, socket: Socket) -> None:
    """Until the other side goes, or sends what it should not."""
    loop = asyncio.get_running_loop()
    frames, since = 0, loop.time()
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            socket.is_closing = True
            return
        if loop.time() - since > 60:
            frames, since = 0, loop.time()
        frames += 1
        if len(message.get("text") or message.get("bytes") or "") > FRAME_MAX_BYTES:
            socket.close(TOO_LARGE)
        elif frames > FRAMES_MAX_PER_MINUTE:
            socket.close(TOO_MANY)
