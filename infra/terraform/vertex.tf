# Trainings and pipelines on Vertex AI need no resource that stands: only who may start them, and as
# whom they run.
resource "google_service_account" "pipeline" {
  account_id   = "s2s-pipeline"
  display_name = "Silent to Sound, the pipeline on Vertex AI"

  depends_on = [google_project_service.needed]
}

# The pipeline's own steps start jobs: one a stage, each as the stage's account.
resource "google_project_iam_member" "pipeline" {
  project = var.project
  role    = "roles/aiplatform.user"
  member  = google_service_account.pipeline.member
}

resource "google_service_account_iam_member" "pipeline" {
  for_each = google_service_account.service

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.pipeline.member
}

# Pipelines keep what they were told, and what their steps gave back, apart from the data.
resource "google_storage_bucket" "pipeline" {
  name     = "${var.bucket}_pipeline"
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age        = 90
      with_state = "ANY"
    }
  }

  logging {
    log_bucket        = google_storage_bucket.access_log.name
    log_object_prefix = "pipeline"
  }

  depends_on = [google_storage_bucket_iam_member.access_log]
}

resource "google_storage_bucket_iam_member" "pipeline" {
  bucket = google_storage_bucket.pipeline.name
  role   = "roles/storage.objectUser"
  member = google_service_account.pipeline.member
}

# What a job prints goes to Cloud Logging as the account that it runs as.
resource "google_project_iam_member" "job_log" {
  for_each = google_service_account.service

  project = var.project
  role    = "roles/logging.logWriter"
  member  = each.value.member
}

resource "google_project_iam_member" "submit" {
  for_each = {
    for pair in setproduct(var.job_submitters, ["roles/aiplatform.user", "roles/logging.viewer"]) :
    join(" ", pair) => { member = pair[0], role = pair[1] }
  }

  project = var.project
  role    = each.value.role
  member  = each.value.member
}

resource "google_service_account_iam_member" "submit" {
  for_each = {
    for pair in setproduct(var.job_submitters, ["training", "pipeline"]) :
    join(" ", pair) => { member = pair[0], account = pair[1] }
  }

  service_account_id = each.value.account == "training" ? google_service_account.service["training"].name : google_service_account.pipeline.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value.member
}

# Who starts a job gives it its recipe through the bucket, and can do nothing else there.
resource "google_storage_bucket_iam_member" "submit_list" {
  for_each = toset(var.job_submitters)

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["List"].name
  member = each.key
}

resource "google_storage_bucket_iam_member" "submit_create" {
  for_each = toset(var.job_submitters)

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["Create"].name
  member = each.key

  condition {
    title      = "creates recipes"
    expression = local.under["recipes"]
  }
}

# They see whether the image is there.
resource "google_artifact_registry_repository_iam_member" "submit" {
  for_each = toset(var.job_submitters)

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = each.key
}
