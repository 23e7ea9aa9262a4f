"""The socket: push only. It rings with ids; what was said is pulled by HTTP through the one permission path."""

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.models import Membership

from .bell import user_group
from .models import Thread

FRAME_MAX_BYTES = 64 * 1024


class BellConsumer(AsyncJsonWebsocketConsumer):
    """One socket per page at /ws/bell/?thread=<id>: rings for the person, and for that thread if readable.

    Every ring is checked against membership again, so that somebody removed hears nothing more.
    """

    async def connect(self):
        self.user = self.scope["user"]
        self.thread_id = self._asked_thread()
        if not self.user.is_authenticated:
            await self.close(code=4401)
            return
        if self.thread_id is not None and not await self._may_read():
            await self.close(code=4404)
            return
        self.groups_joined = [user_group(self.user.pk)]
        if self.thread_id is not None:
            self.groups_joined.append(f"thread.{self.thread_id}")
        for group in self.groups_joined:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        for group in getattr(self, "groups_joined", []):
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        """Nothing is taken from the socket; a frame over the cap ends it."""
        if len(text_data or bytes_data or "") > FRAME_MAX_BYTES:
            await self.close(code=1009)

    async def thread_grown(self, event):
        if await self._may_read():
            await self.send_json({"thread": event["thread"], "number": event["number"]})
        else:
            await self.close(code=4404)

    async def person_told(self, event):
        await self.send_json({"notifications": True})

    def _asked_thread(self) -> int | None:
        query = dict(
            pair.split("=", 1)
            for pair in self.scope["query_string"].decode("ascii", "replace").split("&")
            if "=" in pair
        )
        value = query.get("thread", "")
        return int(value) if value.isdecimal() and len(value) < 19 else None

    @database_sync_to_async
    def _may_read(self) -> bool:
        """Whether any active membership of the person is with a party of the thread."""
        organisations = Membership.objects.active().filter(user_id=self.user.pk, user__is_active=True)
        return Thread.objects.filter(
            pk=self.thread_id,
            parties__left_at=None,
            parties__organisation__in=organisations.order_by().values("organisation"),
        ).exists()
