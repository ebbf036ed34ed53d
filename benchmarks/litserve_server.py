"""LitServe as its documentation has it, for benchmarks/serving_litserve.py."""

import sys

import litserve  # pyright: ignore[reportMissingImports] - installed by that benchmark's user
from serving_litserve import MAX_BATCH, WAIT_S, make_model


class Api(litserve.LitAPI):
    """A batch of inputs at a time; in a module of its own, since its workers import it."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        """Load the model."""
        self.model = make_model(sys.argv[1])

    def decode_request(self, request: dict) -> list[float]:
        """From JSON."""
        return request["input"]

    def batch(self, inputs: list) -> list:
        """As it is."""
        return inputs

    def predict(self, inputs: list) -> list:
        """Run the model."""
        return self.model(inputs)

    def unbatch(self, output: list) -> list:
        """As it is."""
        return output

    def encode_response(self, output: list[float]) -> dict:
        """To JSON."""
        return {"output": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(max_batch_size=MAX_BATCH, batch_timeout=WAIT_S), accelerator="cpu", workers_per_device=1
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
