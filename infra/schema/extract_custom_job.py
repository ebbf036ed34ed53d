"""Writes `custom_job.json`: the messages of Vertex AI's CustomJob, as its client library has them.

The library takes 80 MB; its messages of a job, which tests hold ours against, a few thousand lines.

    pip install google-cloud-aiplatform
    python infra/schema/extract_custom_job.py
"""

from pathlib import Path

from google.cloud.aiplatform_v1 import CustomJob  # noqa: TID251 - not a part of the project
from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import FileDescriptor


def main() -> None:
    """Write the file of CustomJob and every file that it needs, each after those it needs."""
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def add(file: FileDescriptor) -> None:
        for needed in file.dependencies:
            add(needed)
        if file.name not in files:
            proto = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(proto)
            files[file.name] = proto

    add(CustomJob.pb().DESCRIPTOR.file)
    text = json_format.MessageToJson(
        descriptor_pb2.FileDescriptorSet(file=files.values()), indent=1
    )
    Path(__file__).with_name("custom_job.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
