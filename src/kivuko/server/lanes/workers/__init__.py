"""The lane of workers: who claims Attempts, gets their plans and inputs, and reports what became of them (worker-protocol).

A process makes one ``Desk`` over its ``Services`` and gives it the records' changes (``heard``). Each connection is a ``Conversation``:
``worker_socket`` makes one of a websocket, ``local_conversation`` one for the worker in the same process.
"""

from kivuko.server.lanes.workers.conversation import HEARTBEAT_S, QUEUE, Conversation, Push
from kivuko.server.lanes.workers.desk import Desk
from kivuko.server.lanes.workers.identity import Identity
from kivuko.server.lanes.workers.local import local_conversation
from kivuko.server.lanes.workers.reply import Reply
from kivuko.server.lanes.workers.services import Services
from kivuko.server.lanes.workers.socket import SOCKET_PATH, WorkerSocket, worker_socket

__all__ = [
    "HEARTBEAT_S",
    "QUEUE",
    "SOCKET_PATH",
    "Conversation",
    "Desk",
    "Identity",
    "Push",
    "Reply",
    "Services",
    "WorkerSocket",
    "local_conversation",
    "worker_socket",
]
