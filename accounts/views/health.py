from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse, JsonResponse


def healthz(request):
    """The process answers; touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request):
    """Whether the parts this process leans on answer: 200, or 503 naming those that do not."""
    failing = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # whatever it is, the answer is the same: not ready
        failing["database"] = type(error).__name__
    try:
        cache.get("readyz")
    except Exception as error:
        failing["redis"] = type(error).__name__
    return JsonResponse({"ready": not failing, "failing": failing}, status=503 if failing else 200)
