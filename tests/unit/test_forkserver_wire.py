"""How a fork server and its clients talk."""

import socket

from nbship.adapters.kernels.forkserver import wire


class AnsweredAtOnce:
    """A connection whose other end has answered and hung up before ``sendmsg`` returns."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()

    def sendmsg(self, *given):
        sent = self.near.sendmsg(*given)
        wire.receive_request(self.far)
        wire.send_line(self.far, {"refused": "no"})
        self.far.close()
        return sent

    def sendall(self, data):
        self.near.sendall(data)


def test_an_answer_that_comes_before_sending_returns_is_not_lost():
    connection = AnsweredAtOnce()

    wire.send_request(connection, {"command": "kernel"}, [])

    with connection.near as near:
        assert list(wire.Lines().feed(near.recv(4096))) == [{"refused": "no"}]
