"""One exchange, in time: the only room where syntaxes, dialects and backends meet."""

from streaming.conversation import ClientReply
from streaming.headers import request_id_of
from streaming.model_templates import ModelTemplates
from streaming.record import ExchangeRecord, exchange_ended
from streaming.relay import ClientRequest, Relay

__all__ = [
    "ClientReply",
    "ClientRequest",
    "ExchangeRecord",
    "ModelTemplates",
    "Relay",
    "exchange_ended",
    "request_id_of",
]
