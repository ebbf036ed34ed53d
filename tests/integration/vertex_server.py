"""A server that speaks as much of Vertex AI's, Cloud Logging's and a registry's REST as we use.

Jobs are held against the messages of Google's client library, so that what it would refuse is
refused here. What becomes of a job, and which places have none, is told to the server.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SCHEMA = Path(__file__).resolve().parents[2] / "infra" / "schema" / "custom_job.json"
JOBS = re.compile(r"/v1/projects/([^/]+)/locations/([^/]+)/customJobs(?:/([^/:]+))?(:cancel)?")


def custom_job(message: dict[str, Any]) -> Any:
    """The message as Google's client library reads it; raises ParseError for what it refuses."""
    pool = descriptor_pool.DescriptorPool()
    files = json_format.Parse(SCHEMA.read_text(), descriptor_pb2.FileDescriptorSet())
    for file in files.file:
        pool.Add(file)
    descriptor = pool.FindMessageTypeByName("google.cloud.aiplatform.v1.CustomJob")
    return json_format.ParseDict(message, message_factory.GetMessageClass(descriptor)())


@dataclass
class Course:
    """What becomes of the jobs of a region.

    Attributes:
        states: one after each look; the last stays.
        error: of a job that fails.
        log: lines, one more of them after each look.
        refusal: status and message with which jobs are not taken at all.
        drop: so many answers to new jobs are lost on the way.
        silence: so many looks are answered with 503.
    """

    states: tuple[str, ...] = ("PENDING", "RUNNING", "RUNNING", "SUCCEEDED")
    error: dict[str, Any] | None = None
    log: tuple[str, ...] = ("step 1", "step 2")
    refusal: tuple[int, str] | None = None
    drop: int = 0
    silence: int = 0


@dataclass
class Job:
    """A job that was taken."""

    name: str
    message: dict[str, Any]
    course: Course
    looks: int = 0
    is_cancelled: bool = False

    def answer(self) -> dict[str, Any]:
        state = self.course.states[min(self.looks, len(self.course.states) - 1)]
        self.looks += 1
        state = "CANCELLED" if self.is_cancelled else state
        answer = self.message | {"name": self.name, "state": f"JOB_STATE_{state}"}
        if state in {"RUNNING", "SUCCEEDED"}:
            answer["startTime"] = "2026-11-28T10:00:00Z"
        if state == "FAILED" and self.course.error:
            answer["error"] = self.course.error
        return answer


@dataclass
class VertexServer:
    """The server; use it as a context."""

    courses: dict[str, Course] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    jobs: list[Job] = field(default_factory=list)

    def __enter__(self) -> "VertexServer":
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._get(self)

            def do_HEAD(self) -> None:
                path = urlsplit(self.path).path
                _reply(self, 200 if path in owner.images else 404, {})

            def do_POST(self) -> None:
                owner._post(self)

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/"

    def _get(self, request: Any) -> None:
        url = urlsplit(request.path)
        match = JOBS.fullmatch(url.path)
        if match is None:
            _fail(request, 404, "no such method")
        elif match[3] is None:
            (wanted,) = parse_qs(url.query)["filter"]
            found = [
                job.answer()
                for job in self.jobs
                if f'"{job.message["labels"]["s2s_run"]}"' in wanted
            ]
            _reply(request, 200, {"customJobs": found})
        else:
            job = self._job(url.path)
            if job is None:
                _fail(request, 404, f"The resource {url.path} was not found")
            elif job.course.silence > 0:
                job.course.silence -= 1
                _fail(request, 503, "The service is currently unavailable.")
            else:
                _reply(request, 200, job.answer())

    def _post(self, request: Any) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if request.path == "/v2/entries:list":
            _reply(request, 200, {"entries": self._entries(body["filter"])})
            return
        match = JOBS.fullmatch(request.path)
        if match is None:
            _fail(request, 404, "no such method")
        elif match[4]:
            job = self._job(request.path.removesuffix(":cancel"))
            if job is not None:
                job.is_cancelled = True
            _reply(request, 200, {})
        else:
            self._take(request, match[1], match[2], body)

    def _take(self, request: Any, project: str, region: str, body: dict[str, Any]) -> None:
        course = self.courses.get(region, Course())
        try:
            custom_job(body)
        except json_format.ParseError as error:
            _fail(request, 400, str(error))
            return
        if course.refusal is not None:
            _fail(request, *course.refusal)
            return
        number = len(self.jobs) + 1
        job = Job(f"projects/{project}/locations/{region}/customJobs/{number}", body, course)
        self.jobs.append(job)
        if course.drop > 0:
            course.drop -= 1
            request.close_connection = True
            request.connection.close()
            return
        _reply(request, 200, job.answer() | {"state": "JOB_STATE_QUEUED"})

    def _entries(self, wanted: str) -> list[dict[str, Any]]:
        (number,) = re.findall(r'job_id="(\d+)"', wanted)
        job = self.jobs[int(number) - 1]
        return [
            {
                "insertId": f"{at}",
                "timestamp": f"2026-11-28T10:00:0{at}.123456789Z",
                "textPayload": line,
            }
            for at, line in enumerate(job.course.log[: max(0, job.looks - 1)])
        ]

    def _job(self, path: str) -> Job | None:
        return next((job for job in self.jobs if path.endswith(job.name)), None)


def _reply(request: Any, status: int, body: dict[str, Any]) -> None:
    data = b"" if request.command == "HEAD" else json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


def _fail(request: Any, status: int, message: str) -> None:
    _reply(request, status, {"error": {"code": status, "message": message}})
