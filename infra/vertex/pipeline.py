"""All stages of a recipe as a pipeline of Vertex AI.

    python infra/vertex/pipeline.py --project P --bucket gs://NAME --registry REGISTRY --tag TAG \
        --recipe silent_to_sound --out pipeline.yaml

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


def worker_pools(stage: str, image: str, recipe: str, bucket: str) -> list[dict]:
    """What CustomJob calls worker pools: one machine with one stage's container.

    Args:
        stage: of the pipeline.
        image: the stage's image.
        recipe: name, path or URL, as the image finds it.
        bucket: `gs://NAME`.
    """
    container = {
        "imageUri": image,
        "args": [recipe],
        "env": [{"name": "S2S_BUCKET", "value": bucket}],
    }
    return [
        {
            "machineSpec": MACHINES[stage],
            "replicaCount": 1,
            "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 200},
            "containerSpec": container,
        }
    ]


def make_pipeline(project: str, bucket: str, registry: str, tag: str, recipe: str):  # noqa: ANN201
    """The pipeline: six jobs, one after the other; what a stage has done already it skips.

    Args:
        project: id of the Google Cloud project.
        bucket: `gs://NAME`.
        registry: such as `us-central1-docker.pkg.dev/PROJECT/s2s`.
        tag: of the images.
        recipe: name, path or URL.
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
                worker_pool_specs=worker_pools(stage, f"{registry}/{stage}:{tag}", recipe, bucket),
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
    parser.add_argument("--out", type=Path, default=Path("pipeline.yaml"))
    options = parser.parse_args()
    if not options.bucket.startswith("gs://"):
        parser.error(f"--bucket {options.bucket}: Vertex AI reaches none but gs://NAME")
    pipeline = make_pipeline(
        options.project, options.bucket, options.registry, options.tag, options.recipe
    )
    compiler.Compiler().compile(pipeline, str(options.out))


if __name__ == "__main__":
    main()
