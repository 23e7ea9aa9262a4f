"""How much a file may hold. Held before anything is opened, and again while it is read."""

ROWS_MAX = 200_000  # more is sent in parts: a report of that length is the last one a person reads
COLUMNS_MAX = 500  # real inventories have tens; a spilled cell makes thousands
CELL_MAX_CHARS = 1_000_000  # a long route as WKT; ordinary fields have limits of their own
ZIP_MEMBERS_MAX = 200  # an .xlsx of 100 sheets has about 120
ZIP_UNPACKED_MAX_BYTES = 400 * 1024 * 1024
ZIP_RATIO_MAX = 200  # honest spreadsheets compress 5–20 times, coordinates 2–5 times
RATIO_FROM_BYTES = 10 * 1024 * 1024  # small members may compress as well as they like

CHILD_CPU_S = 20
CHILD_MEMORY_BYTES = 3 * 1024**3
CHILD_WALL_S = 90
CHILD_OUTPUT_MAX_BYTES = 1024**3
CHILD_LINE_MAX_BYTES = 64 * 1024 * 1024

INLINE_MAX_BYTES = 512 * 1024  # files this small are read while the person waits
INLINE_MAX_ROWS = 2_000
CHUNK_ROWS = 5_000
PREVIEW_ROWS = 300
HEARTBEAT_DEAD_S = 120  # a chunk takes seconds; silence this long means the worker is gone
ABANDONED_DAYS = 30
