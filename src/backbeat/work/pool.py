# SPDX-License-Identifier: Apache-2.0
"""Executors: inline, processes, or Dask's. Jobs are module-level functions of paths and small values."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

from backbeat.errors import InputError, MissingPartError

A = TypeVar("A")
R = TypeVar("R")


class Inline(Executor):
    """Runs each job where it is called; its future is done at once."""

    def submit(self, fn: Callable[..., R], /, *args: object, **kwargs: object) -> Future[R]:
        """Run `fn` now."""
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever its job raised
            future.set_exception(error)
        return future


def count_of(workers: str) -> int:
    """Return how many processes ``"N"`` or ``"auto"`` (the cores at hand, at most 8) means; 0 for Dask's.

    Raises
    ------
    InputError
        If `workers` is none of these.
    """
    if workers.startswith("dask://"):
        return 0
    if workers == "auto":
        return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if not workers.isdecimal() or int(workers) < 1:
        raise InputError(
            f"--workers {workers}: not a number of workers", "give a number such as 2, auto, or dask://host:8786"
        )
    return int(workers)


@contextmanager
def open_pool(workers: str) -> Iterator[Executor]:
    """Yield an executor for ``"1"`` (inline), ``"N"`` or ``"auto"`` (spawned processes), or ``"dask://host:port"``.

    Raises
    ------
    InputError
        If `workers` is neither.
    MissingPartError
        If Dask is asked for and not installed.
    """
    if workers.startswith("dask://"):
        try:
            from distributed import Client
        except ImportError:
            raise MissingPartError(
                "--workers dask:// needs Dask, which is not installed", "pip install 'backbeat[dask]'"
            ) from None
        with Client("tcp://" + workers.removeprefix("dask://")) as client:
            yield client.get_executor()
        return
    count = count_of(workers)
    if count == 1:
        yield Inline()
        return
    # spawn: av and cv2 hold threads, which a fork would break
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_deaf)
    try:
        yield pool
    except (KeyboardInterrupt, GeneratorExit):
        _end(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _deaf() -> None:
    """Leave Ctrl-C, which reaches the whole process group, to the parent: it ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the workers now rather than after their jobs. What a job has not finished, it has not put in place."""
    workers = list((getattr(pool, "_processes", None) or {}).values())  # shutdown forgets them
    pool.shutdown(wait=False, cancel_futures=True)
    for process in workers:
        process.terminate()


def each(pool: Executor, fn: Callable[[A], R], jobs: Iterable[A]) -> Iterator[tuple[int, R | Exception]]:
    """Run `fn` on every job; yield (index of the job, its result or its exception) as they finish."""
    if isinstance(pool, Inline):
        for index, job in enumerate(jobs):  # lazily, so that progress shows and Ctrl-C stops between jobs
            future = pool.submit(fn, job)
            error = future.exception()
            yield index, error if isinstance(error, Exception) else future.result()
        return
    futures = {pool.submit(fn, job): index for index, job in enumerate(jobs)}
    try:
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future], error if isinstance(error, Exception) else future.result()
    except KeyboardInterrupt:
        raise  # `open_pool` ends the workers; a future cancelled meanwhile would trip the thread that watches them
    except BaseException:
        for future in futures:
            future.cancel()
        raise
