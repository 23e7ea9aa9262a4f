"""Files in: read, columns mapped, place checked, rows judged, and only then stored.

upload → readers (CSV here; spreadsheets and spatial files in a child process, sandbox.py) → columns.py proposes the
mapping → systems.py the coordinate system → staging.py judges rows through a Target (targets.py) → report.py.
"""
