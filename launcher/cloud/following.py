"""From a job to its end: started where there is a machine, its log shown, its state returned."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from launcher.cloud.job import JobState, TrainingJob
from launcher.cloud.place import Place
from launcher.cloud.vertex import CloudError, MachineShortageError, Vertex

__all__ = ["Follower", "train_somewhere"]

_LATE = timedelta(seconds=90)
"""Lines of log may arrive so much after others that are younger."""


@dataclass
class Follower:
    """Follows jobs.

    Attributes:
        vertex: the project's trainings.
        show: is given every line.
        poll_s: seconds from one look to the next.
        wait_s: a job that has no machine after so long is cancelled; None to wait for ever.
        silent_s: Vertex AI may be silent for so long before following is given up.
    """

    vertex: Vertex
    show: Callable[[str], None]
    poll_s: float = 10.0
    wait_s: float | None = None
    silent_s: float = 600.0

    def follow(self, state: JobState) -> JobState:
        """Show a job's log until it has ended.

        Returns:
            its last state; CANCELLED also of one that had no machine for too long.

        Raises:
            CloudError: if Vertex AI has not answered for too long.
        """
        log = _Log(self.vertex, state.name, self.show)
        started = heard = time.monotonic()
        is_given_up = False
        while not state.has_ended:
            time.sleep(self.poll_s)
            try:
                before, state = state, self.vertex.state(state.name)
                heard = time.monotonic()
                if state.waits and not is_given_up and self._is_too_long(started):
                    self.vertex.cancel(state.name)
                    is_given_up = True
            except CloudError:
                if time.monotonic() - heard > self.silent_s:
                    raise
                continue
            if state.state != before.state:
                self.show(f"-- {state.state.lower()}")
            log.show_new()
        if not is_given_up:
            time.sleep(self.poll_s)  # the last lines come after the state
            log.show_new()
        return state

    def _is_too_long(self, started: float) -> bool:
        return self.wait_s is not None and time.monotonic() - started > self.wait_s


def train_somewhere(
    job: TrainingJob,
    places: Sequence[Place],
    follower: Follower,
    on_start: Callable[[JobState], bool],
) -> JobState:
    """Start a job in the first place that has a machine for it, and follow it.

    A place whose quota is used up, whose machines are sold out, or that has found none after
    `follower.wait_s` is left for the next; its job is cancelled first.

    Args:
        job: what is to be trained.
        places: in the order in which they are tried.
        follower: shows its log.
        on_start: is given each job that was accepted; says whether it is to be followed.

    Returns:
        the state of the job that had a machine: its last, or its first if it is not followed.

    Raises:
        MachineShortageError: if no place has a machine.
        CloudError: if the job is refused for another reason.
    """
    shortages: list[str] = []
    for place in places:
        try:
            state = follower.vertex.submit(job, place)
        except MachineShortageError as error:
            shortages.append(str(error))
        else:
            if not on_start(state):
                return state
            state = follower.follow(state)
            if state.state == "CANCELLED" and state.never_started:
                shortages.append(f"training in {place}: no machine came in time")
            elif state.found_no_machine:
                shortages.append(f"training in {place}: {state.message}")
            else:
                return state
        follower.show(f"-- {shortages[-1]}")
    raise MachineShortageError(
        f"no machine in any of {len(places)} places: {'; '.join(shortages)}. Name others with "
        "--place, ask for quota, or try --no-spot"
    )


class _Log:
    """A job's log, each line shown once."""

    def __init__(self, vertex: Vertex, name: str, show: Callable[[str], None]) -> None:
        self._vertex, self._name, self._show = vertex, name, show
        self._seen: set[str] = set()
        self._since = datetime(2020, 1, 1, tzinfo=UTC)
        self._has_warned = False

    def show_new(self) -> None:
        """Show what is there and was not shown. That it cannot be read is said once."""
        try:
            since = (self._since - _LATE).isoformat()
            entries = self._vertex.log(self._name, since)
        except CloudError as error:
            if not self._has_warned:
                self._show(f"-- {error}")
            self._has_warned = True
            return
        for entry in entries:
            if (identity := str(entry.get("insertId", entry))) not in self._seen:
                self._seen.add(identity)
                self._show(_text(entry))
            if stamp := entry.get("timestamp"):
                self._since = max(self._since, datetime.fromisoformat(stamp))


def _text(entry: dict[str, Any]) -> str:
    payload = entry.get("jsonPayload", {})
    return str(entry.get("textPayload") or payload.get("message") or payload).rstrip()
