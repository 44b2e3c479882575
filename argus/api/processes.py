"""The two kinds of processes of `argus api`: the one that listens, and the readers it hands connections to."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

import uvicorn
from starlette.applications import Starlette

from argus.api.metrics import ApiMetrics
from argus.api.readers.channel import Channel, Kind, Message, connection_pack, connection_unpack
from argus.api.readers.forwarding import Forwarder
from argus.api.readers.pool import Readers
from argus.api.readers.protocol import RoutedHttp, Routing, connection_adopt
from argus.api.readers.routing import listener_by_body, listener_by_head, reader_by_head
from argus.api.readers.template import Template
from argus.api.serving import Admission, files_raise, server_config
from argus.api.wiring import app_create, exposure_of
from gql.server.exposure import Exposure
from runtime.collection import startup_freeze
from runtime.settings.model import ApiSettings, RateSettings, Settings

# What listens goes first where both want a processor.
READER_NICE: Final = 5
# The exit status of a server that could not start.
NOT_STARTED: Final = 3


class ListeningServer(uvicorn.Server):
    """The process that accepts all connections, and answers ingest, health and metrics."""

    def __init__(self, config: uvicorn.Config, readers: Readers) -> None:
        super().__init__(config)
        self._readers = readers
        readers.adopt = lambda file, data: connection_adopt(self, file, data)
        # Whoever supervises this process starts it again, with readers.
        readers.on_template_ended = self._end

    def _end(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the readers, which take longer, and listen."""
        try:
            await self._readers.channels_open()
            await super().startup(sockets)
        except BaseException:
            await self._readers.stop()
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let all processes finish their requests, at the same time."""
        self._readers.drain()
        await super().shutdown(sockets)
        await self._readers.stop()


def server_create(settings: Settings, *, host: str, port: int) -> uvicorn.Server:
    """Return the server of the process that listens; its readers start meanwhile. Call it before any thread starts."""
    bounds = replace(settings.api, connections_max=files_raise(settings.api.connections_max))
    own = replace(settings, api=bounds)
    exposure = exposure_of(bounds)
    if not bounds.processes:
        return uvicorn.Server(
            server_config(app_create(own, exposure), bounds, host=host, port=port, log_config=None, access_log=False)
        )
    # What is loaded by now is shared by all of them.
    startup_freeze()
    template = Template.fork(partial(reader_run, settings, exposure))
    readers = Readers(template, bounds.processes, admission=Admission(bounds))
    readers.processes_start()
    return _listening_server(own, exposure, readers, host=host, port=port)


def _listening_server(
    settings: Settings, exposure: Exposure, readers: Readers, *, host: str, port: int
) -> ListeningServer:
    """Return the server that has readers. settings: those that the readers' admission has too."""
    routing = Routing(by_head=listener_by_head, by_body=listener_by_body, hand=readers.give)
    config = server_config(
        app_create(settings, exposure, readers=readers),
        settings.api,
        host=host,
        port=port,
        admission=readers.admission,
        http=type("ListeningHttp", (RoutedHttp,), {"routing": routing}),
        log_config=None,
        access_log=False,
    )
    return ListeningServer(config, readers)


def reader_settings(settings: Settings) -> Settings:
    """Return the settings of one reader: callers' rates are shared out, so that all readers together let so much in."""
    count = max(settings.api.processes, 1)

    def part(rate: RateSettings) -> RateSettings:
        return RateSettings(rate.per_s / count, max(rate.burst // count, 1))

    api = replace(settings.api, rate_address=part(settings.api.rate_address), rate_token=part(settings.api.rate_token))
    return replace(settings, api=api)


class ReaderAdmission(Admission):
    """Lets every connection in, as the process that listens already has, and reports to it when one ends."""

    def __init__(self, settings: ApiSettings) -> None:
        super().__init__(settings)
        self.left: Callable[[str], None] = lambda _address: None

    def enter(self, address: str) -> str | None:  # noqa: ARG002
        """Let it in."""
        return None

    def leave(self, address: str) -> None:
        """Tell that it has ended."""
        self.left(address)


class ReaderServer(uvicorn.Server):
    """A reader process: it answers the connections handed to it."""

    def __init__(self, app: Starlette, settings: ApiSettings, end: socket.socket, forwarder: Forwarder) -> None:
        self._end = end
        forwarder.open = self._open
        self._channel: Channel | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._metrics: ApiMetrics = app.state.metrics
        admission = ReaderAdmission(settings)
        admission.left = self._left
        routing = Routing(by_head=reader_by_head, hand=self._return, is_returning=True)
        config = server_config(
            app,
            settings,
            host="",
            port=0,
            admission=admission,
            http=type("ReaderHttp", (RoutedHttp,), {"routing": routing}),
            log_config=None,
            access_log=False,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then take the connections handed over meanwhile."""
        await super().startup(sockets)
        self._channel = Channel(self._end, received=self._received, ended=self._ended)
        self._channel.send(Kind.READY)

    def _received(self, message: Message) -> None:
        channel = self._channel
        if channel is None:
            return
        if message.kind is Kind.CONNECTION and message.file is not None:
            channel.send(Kind.TAKEN, message.identity)
            task = asyncio.create_task(self._serve_connection(message.file, message.body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif message.kind is Kind.PING:
            channel.send(Kind.PING)
        elif message.kind is Kind.METRICS:
            channel.send(Kind.METRICS, body=self._metrics.own())

    async def _serve_connection(self, file: int, body: bytes) -> None:
        address, data = connection_unpack(body)
        try:
            await connection_adopt(self, file, data)
        except OSError:
            self._left(address)

    def _ended(self) -> None:
        """End, with the process that listens."""
        self._channel = None
        self.should_exit = True

    def _return(self, file: int, address: str, data: bytes, _is_live: bool) -> bool:
        if self._channel is None:
            os.close(file)
            return False
        self._channel.send(Kind.CONNECTION, body=connection_pack(address, data), file=file)
        return True

    def _open(self, file: int, data: bytes) -> bool:
        if self._channel is None:
            os.close(file)
            return False
        self._channel.send(Kind.OPENED, body=data, file=file)
        return True

    def _left(self, address: str) -> None:
        if self._channel is not None:
            self._channel.send(Kind.CLOSED, body=address.encode())


def reader_run(settings: Settings, exposure: Exposure, file: int, is_live: bool) -> int:
    """Be a reader until the process that listens ends; return the exit status.

    file: its end of the channel. is_live: it has the WebSockets.
    """
    if not is_live:
        with suppress(OSError):
            os.nice(READER_NICE)
    own = settings if is_live else reader_settings(settings)
    files_raise(own.api.connections_max)
    forwarder = Forwarder()
    app = app_create(own, exposure, forward=forwarder.forward if is_live else None)
    server = ReaderServer(app, own.api, socket.socket(fileno=file), forwarder)
    startup_freeze()
    # A Ctrl-C in a terminal reaches all processes: the one that listens tells the others.
    server.run(sockets=[])
    return 0 if server.started else NOT_STARTED
