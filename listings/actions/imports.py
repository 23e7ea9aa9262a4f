"""A file's way in: upload, confirm the columns, confirm the place, read the report, store; cancel or undo.

Each answer of the person is one action (import_answers, import_store); the work between two answers is
listings.imports.staging's, done by the worker (small files at once, by the same code).
"""

from listings.actions.import_answers import choose_sheet, set_columns, set_place, swap_rows, target_for, upload_file
from listings.actions.import_core import ANSWERABLE, OPEN, advance_if_small, lock, refusal, work
from listings.actions.import_store import cancel, confirm, forget, store, touched_since, undo
from listings.imports.findings import FileRefused

__all__ = [
    "ANSWERABLE",
    "OPEN",
    "FileRefused",
    "advance_if_small",
    "cancel",
    "choose_sheet",
    "confirm",
    "forget",
    "lock",
    "refusal",
    "set_columns",
    "set_place",
    "store",
    "swap_rows",
    "target_for",
    "touched_since",
    "undo",
    "upload_file",
    "work",
]
