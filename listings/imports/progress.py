"""How far the storing of an import is, told from inside its one transaction: through the cache, which all can read."""

from django.core.cache import cache

KEPT_S = 3600


def tell(job_id: int, done: int) -> None:
    cache.set(f"import-done:{job_id}", done, KEPT_S)


def told(job_id: int) -> int:
    """Rows stored so far; 0 where nothing was told yet."""
    return int(cache.get(f"import-done:{job_id}") or 0)


def ask_cancel(job_id: int) -> None:
    cache.set(f"import-cancel:{job_id}", True, KEPT_S)


def is_cancel_asked(job_id: int) -> bool:
    return bool(cache.get(f"import-cancel:{job_id}"))


def forget(job_id: int) -> None:
    cache.delete_many([f"import-done:{job_id}", f"import-cancel:{job_id}"])
