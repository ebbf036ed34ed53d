"""What is asked of Vertex AI, and what it says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from launcher.cloud.place import Place

__all__ = ["RUN_LABEL", "JobState", "TrainingJob", "is_shortage"]

RUN_LABEL = "s2s_run"
_RESOURCE_EXHAUSTED = 8
_SHORTAGES = ("resources are insufficient", "insufficient resources", "stockout", "exhausted")
_ENDED = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"}


@dataclass(frozen=True)
class TrainingJob:
    """A training in a container.

    Attributes:
        name: what it is called in the console.
        run: identifies it among all; at most 63 lower-case letters, digits, `-` and `_`.
        image: the training image, with a tag or digest.
        args: the image's arguments.
        service_account: e-mail address of the account that it runs as.
        timeout_s: after so long, Vertex AI stops it.
        environment: variables of its process.
        is_spot: on machines that may be taken away; it then starts again and goes on.
        disk_gb: size of its disk.
        nodes: machines that train together, all alike.
    """

    name: str
    run: str
    image: str
    args: tuple[str, ...]
    service_account: str
    timeout_s: int
    environment: Mapping[str, str] = field(default_factory=dict)
    is_spot: bool = True
    disk_gb: int = 200
    nodes: int = 1

    def message(self, place: Place) -> dict[str, Any]:
        """The CustomJob, in the JSON form of google.cloud.aiplatform.v1.CustomJob."""
        machine: dict[str, Any] = {"machineType": place.machine}
        if place.accelerator:
            machine |= {
                "acceleratorType": place.accelerator,
                "acceleratorCount": place.count,
            }
        pool: dict[str, Any] = {
            "machineSpec": machine,
            "replicaCount": "1",
            "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": self.disk_gb},
            "containerSpec": {
                "imageUri": self.image,
                "args": list(self.args),
                "env": [
                    {"name": name, "value": self.environment[name]} for name in self.environment
                ],
            },
        }
        # The first pool is one machine, by Vertex AI's rule: the one whose end is the job's.
        others = [pool | {"replicaCount": str(self.nodes - 1)}] if self.nodes > 1 else []
        return {
            "displayName": self.name,
            "labels": {RUN_LABEL: self.run},
            "jobSpec": {
                "workerPoolSpecs": [pool, *others],
                "serviceAccount": self.service_account,
                "scheduling": {
                    "timeout": f"{self.timeout_s}s",
                    "strategy": "SPOT" if self.is_spot else "STANDARD",
                    # A machine that is lost ends the training on all of several.
                    "restartJobOnWorkerRestart": self.is_spot or self.nodes > 1,
                },
            },
        }


@dataclass(frozen=True)
class JobState:
    """What Vertex AI says of a job.

    Attributes:
        name: `projects/P/locations/REGION/customJobs/ID`.
        state: such as `RUNNING`.
        message: what went wrong; empty if nothing did.
        code: the error's code; 0 for none.
        never_started: it has had no machine yet.
    """

    name: str
    state: str
    message: str = ""
    code: int = 0
    never_started: bool = False

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> "JobState":
        """Read a CustomJob in its JSON form."""
        error = message.get("error", {})
        return cls(
            name=message["name"],
            state=message.get("state", "").removeprefix("JOB_STATE_") or "QUEUED",
            message=error.get("message", ""),
            code=error.get("code", 0),
            never_started="startTime" not in message,
        )

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.name.split("/")[3]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in _ENDED

    @property
    def waits(self) -> bool:
        """Whether it has no machine yet."""
        return self.state in {"QUEUED", "PENDING"}

    @property
    def found_no_machine(self) -> bool:
        """Whether it failed because there was none to be had: elsewhere there may be one."""
        return self.state == "FAILED" and is_shortage(self.code, self.message)


def is_shortage(code: int, message: str) -> bool:
    """Whether an error means a quota that is used up, or machines that are sold out."""
    text = message.lower()
    return code == _RESOURCE_EXHAUSTED or any(words in text for words in _SHORTAGES)
