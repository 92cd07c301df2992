"""One exchange, in time: the only room where syntaxes, dialects and backends meet."""

from streaming.conversation import Reply
from streaming.exchange import Exchange, exchange_ended
from streaming.headers import request_id_of
from streaming.relay import ClientRequest, Relay

__all__ = ["ClientRequest", "Exchange", "Relay", "Reply", "exchange_ended", "request_id_of"]
