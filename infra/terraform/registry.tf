resource "google_artifact_registry_repository" "images" {
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
