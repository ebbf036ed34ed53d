"""All stages of a recipe as a pipeline of Vertex AI.

    python infra/vertex/pipeline.py --project P --bucket gs://NAME --registry REGISTRY --tag TAG \
        --recipe silent_to_sound --wandb-secret s2s-wandb --out pipeline.yaml

Each step starts a custom job that runs one stage's image as that stage's account, so the rights are
those of infra/terraform; the pipeline's own account only starts them.
"""

import argparse
from pathlib import Path

from google_cloud_pipeline_components.v1.custom_job import CustomTrainingJobOp
from kfp import compiler, dsl

STAGES = (
    "collection",
    "preprocessing",
    "validation",
    "feature_extraction",
    "training",
    "serving",
)
DAY_S = 86_400
GPU = {"machineType": "g2-standard-8", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
MACHINES = {
    "collection": {"machineType": "e2-standard-4"},
    "preprocessing": {"machineType": "n2-standard-32"},
    "validation": {"machineType": "n2-standard-16"},
    "feature_extraction": GPU,
    "training": GPU,
    "serving": {"machineType": "e2-standard-8"},
}
TIMEOUTS_S = dict.fromkeys(STAGES, DAY_S) | {"collection": 7 * DAY_S, "training": 3 * DAY_S}


def worker_pools(stage: str, image: str, recipe: str, environment: dict[str, str]) -> list[dict]:
    """What CustomJob calls worker pools: one machine with one stage's container.

    Args:
        stage: of the pipeline.
        image: the stage's image.
        recipe: name, path or URL, as the image finds it.
        environment: of the container.
    """
    container = {
        "imageUri": image,
        "args": [recipe],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }
    return [
        {
            "machineSpec": MACHINES[stage],
            "replicaCount": 1,
            "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 200},
            "containerSpec": container,
        }
    ]


def environments(project: str, bucket: str, wandb_secret: str | None) -> dict[str, dict[str, str]]:
    """What each stage's container is told; training, where the key of W&B is, if anywhere.

    Vertex AI mounts no secrets: the training fetches it from Secret Manager, as its account may.
    """
    told = {stage: {"S2S_BUCKET": bucket} for stage in STAGES}
    if wandb_secret:
        secret = f"projects/{project}/secrets/{wandb_secret}"
        told["training"] |= {"WANDB_MODE": "online", "WANDB_API_KEY_SECRET": secret}
    return told


def make_pipeline(  # noqa: ANN201
    project: str, registry: str, tag: str, recipe: str, told: dict[str, dict[str, str]]
):
    """The pipeline: six jobs, one after the other; what a stage has done already it skips.

    Args:
        project: id of the Google Cloud project.
        registry: such as `us-central1-docker.pkg.dev/PROJECT/s2s`.
        tag: of the images.
        recipe: name, path or URL.
        told: the environment of each stage's container.
    """

    @dsl.pipeline(name="silent-to-sound", description=f"All stages of {recipe}.")
    def pipeline(location: str = "us-central1") -> None:
        before = None
        for stage in STAGES:
            account = f"s2s-{stage.replace('_', '-')}@{project}.iam.gserviceaccount.com"
            step = CustomTrainingJobOp(
                project=project,
                location=location,
                display_name=f"s2s-{stage}",
                worker_pool_specs=worker_pools(
                    stage, f"{registry}/{stage}:{tag}", recipe, told[stage]
                ),
                service_account=account,
                timeout=f"{TIMEOUTS_S[stage]}s",
                restart_job_on_worker_restart=True,
            )
            # What is done is in the bucket, which the pipeline's cache knows nothing of.
            step.set_display_name(stage).set_caching_options(enable_caching=False)
            if before is not None:
                step.after(before)
            before = step

    return pipeline


def main() -> None:
    """Compile the pipeline into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("project", "bucket", "registry", "tag", "recipe"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--wandb-secret", help="Secret Manager's secret that has W&B's key")
    parser.add_argument("--out", type=Path, default=Path("pipeline.yaml"))
    options = parser.parse_args()
    if not options.bucket.startswith("gs://"):
        parser.error(f"--bucket {options.bucket}: Vertex AI reaches none but gs://NAME")
    told = environments(options.project, options.bucket, options.wandb_secret)
    pipeline = make_pipeline(options.project, options.registry, options.tag, options.recipe, told)
    compiler.Compiler().compile(pipeline, str(options.out))


if __name__ == "__main__":
    main()
