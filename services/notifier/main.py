"""The wiring of the notifier, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
from starlette.routing import BaseRoute

from services.notifier import channels
from services.notifier.adapters.directory import InventoryDirectory
from services.notifier.adapters.lease import while_holding
from services.notifier.adapters.store import MIGRATIONS, SCHEMA, PostgresStore
from services.notifier.adapters.store.postgres import CLAIM
from services.notifier.adapters.telegram import Bot, TelegramPoller
from services.notifier.adapters.whatsapp.routes import WhatsAppRoutes
from services.notifier.adapters.wording import CatalogueWording
from services.notifier.handlers import ALERT_HANDLERS, SESSION_HANDLERS, Table, bound
from services.notifier.handlers.alerts import CONSUMER as ALERTS
from services.notifier.handlers.alerts import acknowledge_alert
from services.notifier.handlers.conversation import Conversation
from services.notifier.handlers.desk import Desk
from services.notifier.handlers.reception import Reception
from services.notifier.handlers.sending import Sender, note_failure
from services.notifier.handlers.sessions import CONSUMER as SESSIONS
from services.notifier.handlers.trials import send_test_message
from services.notifier.ports import Directory, Messengers, Store
from services.notifier.settings import NotifierSettings, WhatsAppDriver
from shared.bus.following import follow
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus, ConsumerSpec, Handler
from shared.clock import Clock, SystemClock
from shared.contracts.ids import new_id
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.queries import AcknowledgeAlert, AlertTaken, MessageAccepted, SendTestMessage
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET, NOTIFY
from shared.contracts.vocabulary import Channel
from shared.db.migrations import migrate
from shared.db.outbox import OutboxRelay
from shared.db.pool import Database
from shared.errors import Temporary, Unreachable
from shared.lifecycle import Loop, Service
from shared.telemetry.health import Check

log = structlog.get_logger("notifier")

NAME = "notifier"
POLLER_LEASE = "telegram-poller"
GRACE_S = 15.0
TIDY_S = 3600.0


@asynccontextmanager
async def build(settings: NotifierSettings, *, clock: Clock | None = None) -> AsyncIterator[Service]:
    """Open what the notifier needs and put it together."""
    clock = clock or SystemClock()
    async with (
        NatsBus.connect(settings.nats_url, name=NAME, source=NAME, clock=clock) as bus,
        Database.connect(
            settings.database_url, schema=SCHEMA, source=NAME, clock=clock, pool_size=settings.database_pool_size
        ) as database,
    ):
        await migrate(database, MIGRATIONS)
        store = PostgresStore(database)
        async with channels.telegram_bot(settings) as bot, channels.whatsapp(settings, store, clock) as over_whatsapp:
            messengers = channels.messengers(bot, over_whatsapp, clock)
            yield _assembled(settings, bus, database, store, messengers, bot, clock)


def _assembled(
    settings: NotifierSettings,
    bus: Bus,
    database: Database,
    store: PostgresStore,
    messengers: Messengers,
    bot: Bot | None,
    clock: Clock,
) -> Service:
    directory = InventoryDirectory()
    bind = partial(bound, store=store, directory=directory, messengers=messengers)
    reception = _reception(settings, bus, store, directory, messengers, clock)
    consume = partial(_consume, bus, directory)
    loops: dict[str, Loop] = {
        "inventory": lambda: follow(lambda: bus.bucket(INVENTORY_BUCKET), directory),
        "outbox": OutboxRelay(database, bus).run,
        "alerts": lambda: consume(_of_events(ALERTS, ALERT_HANDLERS), bind(ALERT_HANDLERS)),
        "sessions": lambda: consume(_of_events(SESSIONS, SESSION_HANDLERS), bind(SESSION_HANDLERS)),
        "sender": lambda: consume(
            SENDER, {DeliveryDue: [_sender(settings, store, directory, messengers, clock).send_due]}
        ),
        "reception": reception.run,
        "test messages": lambda: _serve_test_messages(bus, store, directory, messengers),
        "acknowledgements": lambda: _serve_acknowledgements(bus, store, directory, messengers, clock),
        "tidy": lambda: _tidy(store),
    }
    if bot is not None:
        poller = _poller(bot, reception, store, settings)
        loops["telegram"] = lambda: while_holding(bus, POLLER_LEASE, settings.instance, poller.run, clock)
    return Service(
        loops=loops,
        checks={
            "bus": Check(partial(_connected, bus), GRACE_S),
            "database": Check(database.check, GRACE_S),
            "inventory": Check(partial(_known, directory)),
        },
        routes=_routes(settings, reception, store, clock),
    )


SENDER = ConsumerSpec(
    name="notifier-sender",
    stream=NOTIFY,
    filters=(DeliveryDue.filter(),),
    max_in_flight=256,
    ack_wait_s=CLAIM.total_seconds(),
)


def _of_events(name: str, table: Table) -> ConsumerSpec:
    return ConsumerSpec(name=name, stream=EVENTS, filters=tuple(kind.filter() for kind in table))


async def _consume(
    bus: Bus, directory: InventoryDirectory, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]]
) -> None:
    """Not before the inventory is known: an alarm must not find nobody to tell."""
    await directory.loaded.wait()
    await bus.consume(spec, handlers)


def _sender(
    settings: NotifierSettings, store: Store, directory: Directory, messengers: Messengers, clock: Clock
) -> Sender:
    return Sender(
        name=f"{settings.instance}-{new_id()}",  # a restarted process must not take old claims for its own
        store=store,
        directory=directory,
        messengers=messengers,
        wordings=CatalogueWording,
        clock=clock,
    )


def _reception(
    settings: NotifierSettings,
    bus: Bus,
    store: Store,
    directory: InventoryDirectory,
    messengers: Messengers,
    clock: Clock,
) -> Reception:
    desk = Desk(store, directory, messengers, CatalogueWording, bus, clock, settings.language, settings.time_zone)
    return Reception(Conversation(desk), store=store, clock=clock, channels=tuple(messengers), ready=directory.loaded)


def _poller(bot: Bot, reception: Reception, store: Store, settings: NotifierSettings) -> TelegramPoller:
    async def moved(old: str, new: str) -> None:
        async with store.unit() as unit:
            await unit.move_chat(Channel.TELEGRAM, old, new)

    return TelegramPoller(
        bot, accept=reception.accept, moved=moved, wordings=CatalogueWording, time_zone=settings.time_zone
    )


async def _serve_test_messages(bus: Bus, store: Store, directory: InventoryDirectory, messengers: Messengers) -> None:
    async def answer(query: SendTestMessage) -> MessageAccepted:
        await directory.loaded.wait()  # before that, no chat exists
        return await send_test_message(
            query, store=store, directory=directory, messengers=messengers, wordings=CatalogueWording
        )

    await bus.serve(SendTestMessage, answer, queue=NAME)


async def _serve_acknowledgements(
    bus: Bus, store: Store, directory: InventoryDirectory, messengers: Messengers, clock: Clock
) -> None:
    async def answer(query: AcknowledgeAlert) -> AlertTaken:
        await directory.loaded.wait()  # the chats that were told must see who took the alert on
        return await acknowledge_alert(query, store=store, directory=directory, messengers=messengers, clock=clock)

    await bus.serve(AcknowledgeAlert, answer, queue=NAME)


def _routes(settings: NotifierSettings, reception: Reception, store: Store, clock: Clock) -> Sequence[BaseRoute]:
    if settings.whatsapp_driver is WhatsAppDriver.NONE:
        return ()
    word, secret = settings.whatsapp_verify_token, settings.whatsapp_app_secret
    return WhatsAppRoutes(
        reception.accept,
        partial(note_failure, store=store, clock=clock),
        verify_token=word.get_secret_value() if word else None,
        app_secret=secret.get_secret_value() if secret else None,
    ).routes()


async def _connected(bus: Bus) -> None:
    if not bus.connected:
        raise Unreachable("the bus does not answer")


async def _known(directory: InventoryDirectory) -> None:
    if not directory.loaded.is_set():
        raise Unreachable("the inventory has not been read yet")


async def _tidy(store: PostgresStore) -> None:
    """Forget what is older than the log is kept, once an hour."""
    while True:
        try:
            await store.forget_old()
        except Temporary as away:
            log.warning("old rows not forgotten", reason=str(away))
        await asyncio.sleep(TIDY_S)
