"""A PostgreSQL database that several programs share: its tables, and calls from any thread and any loop. Decides nothing.

The driver is asynchronous and lives on a loop of its own in a thread of its own, so that neither reading many rows nor a slow
network is ever felt by requests. It is an extra and imported only here.
"""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any, Final, TypeVar, get_args

import msgspec

from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.errors import ConfigError

T = TypeVar("T")
CONNECT_SECONDS: Final = 3.0
COMMAND_SECONDS: Final = 15.0
_CONNECTIONS: Final = 4
_TYPES: Final = {str: "TEXT", int: "BIGINT", float: "DOUBLE PRECISION", bool: "BOOLEAN"}  # anything else is kept as JSON text
_UPGRADE_LOCK: Final = 7_612_189
_CLAIM_LOCK: Final = 7_612_190
QUARTER_MS: Final = 900_000  # on which the local days of all zones begin


_INDEX: Final = re.compile(r" INDEXED BY \w+")


class AwayError(Exception):
    """The database does not answer, or refuses. The text is for the user, and names no password."""


class RefusedRowsError(Exception):
    """The database cannot hold these rows."""


def column_types() -> dict[str, str]:
    """The columns of an exchange, and what they are in SQL."""
    found = {}
    for field in msgspec.structs.fields(Exchange):
        kinds = [kind for kind in get_args(field.type) if kind is not type(None)]
        kind = field.type if field.type in _TYPES or not kinds else kinds[0]
        found[field.name] = _TYPES.get(kind, "TEXT")
    return found | {"cost_pico": "BIGINT"}


def _columns() -> Iterator[tuple[str, str]]:
    """Each column with its definition. A new one must have a default: older rows and older programs know nothing of it."""
    for field in msgspec.structs.fields(Exchange):
        can_be_null = type(None) in get_args(field.type)
        kind = column_types()[field.name]
        default = {"TEXT": "''", "BOOLEAN": "FALSE"}.get(kind, "0")
        yield field.name, kind if can_be_null else f"{kind} NOT NULL DEFAULT {default}"
    yield "cost_pico", "BIGINT"


def _schema() -> str:
    """Everything that is made at the first start, and what is missing of it at later ones."""
    columns = dict(_columns())
    added = "\n".join(f"ALTER TABLE exchanges ADD COLUMN IF NOT EXISTS {name} {kind};" for name, kind in columns.items())
    return f"""
    CREATE SCHEMA IF NOT EXISTS lynkr;
    CREATE TABLE IF NOT EXISTS exchanges (
        id TEXT NOT NULL, instance TEXT NOT NULL, rowid BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id, instance)
    );
    {added}
    CREATE INDEX IF NOT EXISTS by_time ON exchanges (started_at_ms) INCLUDE (cost_pico, first_token_ms, score, tier);
    CREATE INDEX IF NOT EXISTS by_account ON exchanges (account, id);
    CREATE INDEX IF NOT EXISTS by_client ON exchanges (client, id);
    CREATE INDEX IF NOT EXISTS by_tier ON exchanges (tier, id);
    CREATE INDEX IF NOT EXISTS by_verdict ON exchanges (id) WHERE verdict <> 0;
    CREATE INDEX IF NOT EXISTS by_failure ON exchanges (id) WHERE error <> '';
    -- What was spent, summed as rows come; only exchanges that were inserted count, so nothing counts twice.
    CREATE TABLE IF NOT EXISTS spending (
        quarter_ms BIGINT NOT NULL, client TEXT NOT NULL, project TEXT NOT NULL, pico NUMERIC NOT NULL,
        PRIMARY KEY (quarter_ms, client, project)
    );
    CREATE TABLE IF NOT EXISTS session_spending (
        session TEXT PRIMARY KEY, pico NUMERIC NOT NULL, quarter_ms BIGINT NOT NULL
    );
    -- What is held back for answers that still come, until their rows are here. Of programs that are gone it does not count.
    CREATE TABLE IF NOT EXISTS holds (
        instance TEXT NOT NULL, id TEXT NOT NULL, number BIGINT GENERATED ALWAYS AS IDENTITY,
        client TEXT NOT NULL, project TEXT NOT NULL, session TEXT NOT NULL, pico BIGINT NOT NULL,
        made TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (instance, id)
    );
    CREATE TABLE IF NOT EXISTS instances (instance TEXT PRIMARY KEY, seen TIMESTAMPTZ NOT NULL);
    {_CLAIM}
    """


# One at a time, in the order of the lock: whoever comes later sees all that was held before. The sums of one budget are one
# statement, for money goes from held to spent in one step and must be seen on exactly one side.
_CLAIM: Final = f"""
    CREATE OR REPLACE FUNCTION claim(
        my_instance TEXT, my_id TEXT, my_client TEXT, my_project TEXT, my_session TEXT, my_pico BIGINT,
        clients TEXT[], projects TEXT[], sessions TEXT[], since BIGINT[], until BIGINT[]
    ) RETURNS TABLE (spent NUMERIC, held NUMERIC) LANGUAGE plpgsql AS $$
    DECLARE mine BIGINT := 9223372036854775807;
    BEGIN
        IF my_id <> '' THEN
            PERFORM pg_advisory_xact_lock({_CLAIM_LOCK});
            INSERT INTO instances VALUES (my_instance, now()) ON CONFLICT (instance) DO UPDATE SET seen = now();
            INSERT INTO holds AS h (instance, id, client, project, session, pico)
            VALUES (my_instance, my_id, my_client, my_project, my_session, my_pico)
            ON CONFLICT (instance, id) DO UPDATE SET pico = EXCLUDED.pico RETURNING h.number INTO mine;
        END IF;
        FOR i IN 1 .. coalesce(array_length(clients, 1), 0) LOOP
            RETURN QUERY SELECT
                CASE WHEN until[i] = 0 THEN
                    (SELECT coalesce(sum(s.pico), 0) FROM session_spending s WHERE s.session = sessions[i])
                ELSE
                    (SELECT coalesce(sum(s.pico), 0) FROM spending s
                     WHERE s.quarter_ms >= since[i] AND s.quarter_ms < until[i]
                       AND (clients[i] = '' OR s.client = clients[i]) AND (projects[i] = '' OR s.project = projects[i]))
                END,
                (SELECT coalesce(sum(h.pico), 0) FROM holds h JOIN instances n ON n.instance = h.instance
                 WHERE h.number < mine AND n.seen > now() - INTERVAL '60 seconds'
                   AND h.made > now() - INTERVAL '6 hours'
                   AND (clients[i] = '' OR h.client = clients[i]) AND (projects[i] = '' OR h.project = projects[i])
                   AND (until[i] > 0 OR h.session = sessions[i]));
        END LOOP;
    END $$;
"""  # noqa: S608  our own number


class Rows:
    """An answer that came whole."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        """The next row, or None."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """All rows."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class Postgres:
    """One database. `start` makes its thread, `stop` ends it; both may be called again.

    Raises `ConfigError` if the driver is not installed or the address is none.
    """

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pool: Any = None
        self._is_prepared = False
        try:
            import asyncpg  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigError(
                "A shared ledger needs the PostgreSQL driver.",
                "Install it: pip install 'lynkr-desktop[postgres]'.",
                field="LYNKR_DATABASE_URL",
            ) from None
        if not url.reveal().startswith(("postgresql://", "postgres://")):
            raise ConfigError(
                "LYNKR_DATABASE_URL is not a database's address.",
                "It looks like postgresql://user:password@host/database.",
                field="LYNKR_DATABASE_URL",
            )
        self._driver = asyncpg

    def start(self) -> None:
        """Begin. Nothing is connected before it is needed."""
        if self._thread is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="postgres", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Hang up."""
        if self._thread is None or self._loop is None:
            return
        self._submit(self._close()).result(COMMAND_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(COMMAND_SECONDS)
        self._loop.close()
        self._thread = self._loop = None

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Ask as one asks SQLite; from a worker thread. Raises `AwayError`."""
        return Rows(self.run(_translated(sql), *parameters))

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement in the database's own words; from a worker thread. Raises `AwayError`, `RefusedRowsError`."""
        return self._submit(self._fetch(sql, parameters)).result()

    async def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The same from any loop, which goes on meanwhile."""
        return await asyncio.wrap_future(self._submit(self._fetch(sql, parameters)))

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop is None:
            work.close()
            raise AwayError("The shared ledger is closed.")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            pool = await self._opened()
            async with asyncio.timeout(COMMAND_SECONDS), pool.acquire(timeout=CONNECT_SECONDS) as connection:
                return [tuple(row) for row in await connection.fetch(sql, *parameters)]
        except (self._driver.DataError, self._driver.ProgramLimitExceededError) as error:
            raise RefusedRowsError(f"The database cannot hold it: {error}") from None
        except (OSError, TimeoutError, self._driver.PostgresError, self._driver.InterfaceError) as error:
            raise AwayError(_words(error)) from None

    async def _opened(self) -> Any:
        if self._pool is None:
            try:
                self._pool = self._driver.create_pool(
                    self._url.reveal(),
                    min_size=0,
                    max_size=_CONNECTIONS,
                    timeout=CONNECT_SECONDS,
                    command_timeout=COMMAND_SECONDS,
                    init=_init,
                    server_settings={"search_path": "lynkr", "application_name": "lynkr-desktop"},
                )
            except ValueError:
                raise AwayError("LYNKR_DATABASE_URL cannot be understood.") from None
            await self._pool
        if not self._is_prepared:
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection, connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
                await connection.execute(_schema())
            self._is_prepared = True
        return self._pool

    async def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await pool.close()
            except (OSError, TimeoutError, self._driver.PostgresError, self._driver.InterfaceError):
                pool.terminate()


async def _init(connection: Any) -> None:
    """Sums of whole numbers come as `numeric`; they are whole numbers here too."""
    await connection.set_type_codec("numeric", encoder=str, decoder=int, schema="pg_catalog", format="text")


def _translated(sql: str) -> str:
    """SQLite's words as PostgreSQL knows them."""
    sql = _INDEX.sub("", sql).replace(" LIKE ? ", " ILIKE ? ")
    numbers = count(1)
    first, *rest = sql.split("?")
    return first + "".join(f"${next(numbers)}{part}" for part in rest)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "The database does not answer."
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"The database: {text.rstrip('.')}."
