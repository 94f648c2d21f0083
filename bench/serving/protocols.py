"""How a prediction can be asked for."""

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    TUTORIAL = "tutorial"
    V2_JSON = "V2 JSON"
    V2_BINARY = "V2 binary"
    V2_GRPC = "V2 gRPC"
