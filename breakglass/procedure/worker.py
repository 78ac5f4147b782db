"""The worker's loop: runs the jobs, comes back after the database was away, takes up what a killed worker left behind."""

import asyncio
import logging
import threading
import time

import psycopg
from asgiref.sync import sync_to_async
from django.db import connections
from procrastinate import App, exceptions, jobs
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from breakglass.procedure import channels

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two tries to reach a database that is away
HEARTBEAT, STALLED_AFTER = 5.0, 20.0  # seconds; a worker that is silent for longer counts as killed
POLL = 2.0  # seconds; a notification wakes it earlier
CONCURRENCY = 4  # a platform that does not answer must not hold up the clock
LOST = (exceptions.ConnectorException, psycopg.OperationalError, psycopg.InterfaceError)

logger = logging.getLogger(__name__)


class Worker:
    """Runs until `stop`, which may be called from a signal handler or another thread."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def stop(self, *_signal: object) -> None:
        self._ended.set()
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    def run(self) -> None:
        """Serve until stopped. A lost database is waited for; any other fault rises."""
        channels.configured()
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            started = time.monotonic()
            try:
                asyncio.run(self._serve())
            except LOST as error:
                logger.warning("The database is away: %s", error)
            pause = FIRST_PAUSE if time.monotonic() - started > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self._ended.wait(pause)

    async def _serve(self) -> None:
        """One life of procrastinate's worker; it returns when the database goes away."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            if not self._ended.is_set():
                await _work()
        except asyncio.CancelledError:
            if not self._ended.is_set():
                raise


async def _work() -> None:
    # The periodic deferrer writes through Django's connection of this thread, which may be a broken one by now.
    await sync_to_async(connections.close_all)()
    # An app of its own for fetching, so that `defer` inside a job stays in Django's transaction.
    fetching = app.with_connector(DjangoConnector().get_worker_connector())
    async with fetching.open_async():
        await rescue(fetching)
        await fetching.run_worker_async(
            concurrency=CONCURRENCY,
            delete_jobs=jobs.DeleteJobCondition.SUCCESSFUL.value,
            fetch_job_polling_interval=POLL,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED_AFTER,
            shutdown_graceful_timeout=LONGEST_PAUSE,
            install_signal_handlers=False,
        )


async def rescue(fetching: App) -> int:
    """Take up the jobs of workers that fell silent; returns how many. What comes back by itself is only cleared away."""
    stalled = list(await fetching.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER))
    for job in stalled:
        if job.queueing_lock:
            await fetching.job_manager.finish_job(job=job, status=jobs.Status.FAILED, delete_job=True)
        else:
            await fetching.job_manager.retry_job(job)
    return len(stalled)
