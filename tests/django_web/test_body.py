"""A body is read by us, bounded, whatever the server says about its length."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest

from omniman_payment_django.webhooks.body import MAX_BODY, BodyRefusedError, read_body


class Stream(io.BytesIO):
    """Remembers how much of it was taken, and gives as little at once as a slow sender."""

    def __init__(self, content: bytes, most: int = 1 << 30) -> None:
        super().__init__(content)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


def request_of(stream: io.IOBase, **environ: Any) -> WSGIRequest:
    return WSGIRequest(
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": stream, **environ}
    )


def refusal_of(request: WSGIRequest) -> int:
    with pytest.raises(BodyRefusedError) as refused:
        read_body(request)
    return refused.value.status


def test_a_body_of_its_declared_length_is_read_whole_in_however_many_pieces() -> None:
    stream = Stream(b"x" * 1000 + b"the next request", most=7)
    assert read_body(request_of(stream, CONTENT_LENGTH="1000")) == b"x" * 1000
    assert stream.tell() == 1000


def test_exactly_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    body = b"x" * MAX_BODY
    assert read_body(request_of(Stream(body), CONTENT_LENGTH=str(MAX_BODY))) == body
    stream = Stream(body + b"x")
    assert refusal_of(request_of(stream, CONTENT_LENGTH=str(MAX_BODY + 1))) == 413
    assert stream.tell() == 0


def test_a_stream_without_a_length_that_its_server_ends_is_read_and_bounded() -> None:
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert read_body(request_of(Stream(b"{}", most=1), **chunked)) == b"{}"
    endless = Stream(b"x" * (MAX_BODY * 20), most=1000)
    assert refusal_of(request_of(endless, **chunked)) == 413
    assert endless.tell() <= MAX_BODY + 1


def test_a_stream_that_nobody_ends_is_not_read_at_all() -> None:
    stream = Stream(b"2\r\n{}\r\n0\r\n\r\n")
    assert refusal_of(request_of(stream, HTTP_TRANSFER_ENCODING="chunked")) == 411
    assert stream.tell() == 0


def test_no_length_and_no_encoding_is_an_empty_body() -> None:
    assert read_body(request_of(Stream(b"something else"))) == b""


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", " 5", "5,5", "٣", "9" * 40, "+5"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert refusal_of(request_of(Stream(b"12345"), CONTENT_LENGTH=length)) == 400


def test_two_ideas_of_where_the_body_ends_are_refused() -> None:
    request = request_of(Stream(b"{}"), CONTENT_LENGTH="2", HTTP_TRANSFER_ENCODING="chunked")
    assert refusal_of(request) == 400


def test_less_than_was_declared_is_refused() -> None:
    assert refusal_of(request_of(Stream(b"{"), CONTENT_LENGTH="2")) == 400


def test_a_sender_that_goes_away_is_refused() -> None:
    class Gone(Stream):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    assert refusal_of(request_of(Gone(b""), CONTENT_LENGTH="10")) == 400


def test_a_body_that_middleware_has_read_already_is_taken_from_there() -> None:
    request = request_of(Stream(b'{"a": 1}'), CONTENT_LENGTH="8")
    assert request.body == b'{"a": 1}'
    assert read_body(request) == b'{"a": 1}'
