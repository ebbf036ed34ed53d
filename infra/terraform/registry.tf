resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:images hold no data; Google's own keys encrypt them
  repository_id = "s2s"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the services."

  docker_config {
    # A tag that was deployed always means the same image.
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s" # 14 days
    }
  }

  depends_on = [google_project_service.needed]
}

# Whoever runs an image reads it, and nothing else: Cloud Run and Vertex AI through agents of their
# own in this project, the cluster through the account of its nodes.
resource "google_artifact_registry_repository_iam_member" "pull" {
  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "push" {
  for_each = toset(var.image_pushers)

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.writer"
  member     = each.key
}
