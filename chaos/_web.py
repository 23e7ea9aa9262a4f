"""One web process of a private site, on the listening socket it is given: uvicorn as script/server runs it.

CONTROL in the environment takes a safeguard out, to prove that the harness sees what is then lost or doubled:
"dedup" lets the same key be stored again, "early" says "stored" before it is, "pull" hands out nine messages of ten,
"rights" asks nobody's rights again, "origins" lets every page open a socket. /bare/ is the bare view of the bench.
"""

import os
import socket
import sys
import threading
import time

import uvicorn

from . import _holds


def main() -> None:
    plain_static_files()
    from sharing import asgi

    take_out(os.environ.get("CONTROL", ""))
    add_bare_views()
    _holds.add_views()
    count_queries()
    listener = socket.socket(fileno=os.dup(int(sys.argv[1])))
    config = uvicorn.Config(
        asgi.application, log_level="error", lifespan="off", ws="websockets-sansio", proxy_headers=False,
        server_header=False, ws_max_size=65536, ws_per_message_deflate=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def plain_static_files() -> None:
    """Pages name their style sheets without a manifest: nothing was collected for this site."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    os.makedirs(settings.STATIC_ROOT, exist_ok=True)


def take_out(control: str) -> None:
    from messaging import storing
    from messaging.actions import talk

    if control == "dedup":
        storing.SAY = storing.SAY.replace("AND facts.made IS NULL", "")
    elif control == "early":
        post = talk._store_plain

        def later(*args):
            def store():
                time.sleep(0.5)
                post(*args)

            threading.Thread(target=store, daemon=True).start()
            from messaging.models import Message

            return Message(number=0)

        talk._store_plain = later
    elif control == "pull":
        from messaging import presenters

        for name in ("items_after", "items_chosen"):
            give = getattr(presenters, name)
            setattr(presenters, name, lambda *args, give=give: [item for item in give(*args) if item.number % 10])
    elif control == "rights":
        from messaging.hub import Hub

        async def let_be(*args, **kwargs):
            return None

        Hub.recheck, Hub._rights_changed = let_be, lambda *args: None
    elif control == "origins":
        from messaging import consumers

        consumers.is_own_origin = lambda *args: True
    elif control == "lock":
        _holds.take_out_lock()
    elif control:
        raise SystemExit(f"no such control: {control}")


def add_bare_views() -> None:
    """What a message is measured against: one row through the ORM, without and with finding out who asks."""
    from django.http import JsonResponse
    from django.urls import path

    from messaging.models import OutboxEntry
    from sharing import urls

    def bare(request):
        row = OutboxEntry.objects.create(kind="rights", user_id=int(request.POST["user"]))
        return JsonResponse({"number": row.pk}, status=201)

    def bare_signed_in(request):
        if not request.user.is_authenticated or not request.membership:
            return JsonResponse({}, status=403)
        row = OutboxEntry.objects.create(kind="rights", user=request.user)
        return JsonResponse({"number": row.pk}, status=201)

    urls.urlpatterns[:0] = [path("bare/", bare), path("bare-signed-in/", bare_signed_in)]


def count_queries() -> None:
    """Says on its log how many queries the door of the hub asked, and for how many sockets."""
    from django.db import connection

    from messaging import hub

    ask = hub.admissions
    totals = {"sockets": 0, "queries": 0}

    def counted(cards):
        cards = list(cards)

        def one(execute, sql, params, many, context):
            totals["queries"] += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(one):
            answer = ask(cards)
        totals["sockets"] += len(cards)
        path = os.environ.get("DOOR_LOG")
        if path:
            with open(f"{path}.{os.getpid()}", "w") as file:
                file.write(f"{totals['sockets']} {totals['queries']}")
        return answer

    hub.admissions = counted


if __name__ == "__main__":
    main()
