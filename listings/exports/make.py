"""Makes one file: for each kind one COPY, its lines handed to the writer as they come. Memory stays flat."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection
from django.utils.translation import override

from accounts.models import Membership
from listings.exports.about import facts
from listings.exports.columns import Column, Columns
from listings.exports.formats import Writer, writer_for
from listings.exports.pools import pools_sql
from listings.exports.source import Counts, count, rows_of, source_sql
from listings.models import ExportJob, Kind

TELL_EVERY = 5_000  # rows between two reports of progress


class Stopped(Exception):
    """The person asked to stop, or another worker has the job."""


class _Sink:
    """What cursor.copy_expert() writes to: passes lines on, counts them, reports now and then."""

    def __init__(self, writer: Writer, tell: Callable[[int], bool], done: int):
        self.writer, self.tell, self.done = writer, tell, done
        self.is_stopped = False

    def write(self, line: bytes) -> int:
        if self.is_stopped:
            return len(line)
        self.done += 1
        if self.done % TELL_EVERY == 0 and not self.tell(self.done):
            self.is_stopped = True
            connection.connection.cancel()  # the COPY ends with an error of its own, the connection stays whole
        return self.writer.write(line)


def columns_of(job: ExportJob, kind: str, *, for_people: bool) -> list[Column]:
    """The columns of a kind in the active language, as the job's writer wants them."""
    own = job.organisation_id or 0
    return Columns(kind, for_people=for_people, own_id=own, base_url=settings.BASE_URL).all()


def copy_sql(job: ExportJob, reader: Membership | None, kind: str, writer: Writer, columns: list[Column]) -> str:
    """The COPY statement of one kind, complete. The language of its words is the active one."""
    source, params, names = source_sql(rows_of(job, reader), kind)
    with connection.cursor() as cursor:
        inner = cursor.mogrify(source, params).decode()
    # Each value is worked out once, below; OFFSET 0 keeps PostgreSQL from copying it to wherever it is named above.
    cells = ["s.id", "s.shape"]
    for column in columns:
        cells.append(f'{column.sql} AS "{column.key}"')
        if column.missing and writer.for_people:
            cells.append(f'{column.missing} AS "why_{column.key}"')
    rows = f"SELECT {', '.join(cells)} FROM ({inner}) AS s ({', '.join(names)}) {pools_sql(kind)} OFFSET 0"
    return f"COPY (SELECT {writer.line_sql(columns)} FROM ({rows}) AS c) TO STDOUT WITH ({writer.copy_options})"


def produce(
    job: ExportJob, reader: Membership | None, path: Path, *, tell: Callable[[int], bool] = lambda done: True
) -> tuple[Counts, int]:
    """Writes the file at path; gives what was counted beforehand and how many rows it really has.

    tell(done) is called every TELL_EVERY rows and answers whether to go on. Raises Stopped when it did not.
    """
    with override(job.language):
        counts = count(job, reader)
        writer = writer_for(job.format, path, 4490 if job.crs == ExportJob.System.CGCS2000 else 4326)
        done = 0
        for kind in counts.by_kind or {Kind.TOWER.value: 0}:
            columns = columns_of(job, kind, for_people=writer.for_people)
            writer.begin(kind, str(Kind(kind).label), columns)
            sink = _Sink(writer, tell, done)
            sql = copy_sql(job, reader, kind, writer, columns)
            try:
                with connection.cursor() as cursor:
                    cursor.copy_expert(sql, sink)
            except OperationalError as error:  # QueryCanceled
                if sink.is_stopped:
                    raise Stopped from error
                raise
            if sink.is_stopped:
                raise Stopped
            done = sink.done
        writer.close(facts(job, counts))
    return counts, done
