"""Several clients at one store at once: what they are told must fit together.

``concurrent_anomalies`` runs clients, as processes or threads, and judges their
answers; ``tail_anomalies`` follows the log while others append. Both can be had in
parts: ``run_clients`` and ``follow`` make the evidence, ``anomalies`` judges it,
``linearizable`` judges it again by trying every order, ``show_window`` draws it.
"""

from __future__ import annotations

from azcn_events.testing.concurrency.anomaly import Anomaly, Kind
from azcn_events.testing.concurrency.checker import (
    FAILURE_RATE_MAX,
    anomalies,
    failing,
)
from azcn_events.testing.concurrency.clients import (
    Findings,
    Run,
    concurrent_anomalies,
    run_clients,
)
from azcn_events.testing.concurrency.crew import ClientFailed, How
from azcn_events.testing.concurrency.exhaustive import SearchTooLong, linearizable
from azcn_events.testing.concurrency.following import (
    Followed,
    Place,
    follow,
    tail_anomalies,
)
from azcn_events.testing.concurrency.history import (
    Append,
    Operation,
    Read,
    Refused,
    Seen,
    Stored,
    Unknown,
)
from azcn_events.testing.concurrency.window import show_window

__all__ = [
    "FAILURE_RATE_MAX",
    "Anomaly",
    "Append",
    "ClientFailed",
    "Findings",
    "Followed",
    "How",
    "Kind",
    "Operation",
    "Place",
    "Read",
    "Refused",
    "Run",
    "SearchTooLong",
    "Seen",
    "Stored",
    "Unknown",
    "anomalies",
    "concurrent_anomalies",
    "failing",
    "follow",
    "linearizable",
    "run_clients",
    "show_window",
    "tail_anomalies",
]
