"""The chat completions API of a backend, read: frames and bodies become the neutral reply (reply.py).

    reader         the ReplyReader: order in a stream, whole bodies, errors
    chunks         a frame of a stream; whole: a buffered body; fields: where things stand in both
    choice         what one choice says; choices: all of them
    native_calls   the calls that the server sent itself; native_markup: markup that it left in them
    envelope       what clients need around the words
    passthrough    frames that bring nothing but more text
    errors         what a body says that is no reply

May not know: dialects, sockets, the record.
"""

from backends.chat.reader import ChatReplyReader

__all__ = ["ChatReplyReader"]
