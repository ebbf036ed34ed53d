# The bucket is the database: the stages know each other only through it. What lives under which
# prefix is decided by lib/s2s/layout.py.
locals {
  prefixes = [
    "catalogs",
    "raw_data",
    "processed_data",
    "datasets",
    "dvc_store",
    "features",
    "models",
    "manifests",
    "quarantine",
    "recipes",
    "serving",
  ]
}

resource "google_storage_bucket" "data" {
  name     = var.bucket
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.keep_replaced_days
    }
  }

  # Reports are replaced by every run: a few old ones are enough.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state         = "ARCHIVED"
      num_newer_versions = 5
      matches_prefix     = ["manifests/"]
    }
  }

  # A checkpoint takes the place of the one before, and goes when its model is whole: what was
  # replaced is of no use.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = 1
      matches_prefix             = ["models/"]
    }
  }

  # What serving removed when it expired was a user's: it is not kept for long.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = 1
      matches_prefix             = ["serving/"]
    }
  }

  # Serving removes results when they expire; these are what a server that died has left.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 30
      matches_prefix = ["serving/results/"]
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age            = var.raw_data_cold_days
      matches_prefix = ["raw_data/"]
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  logging {
    log_bucket        = google_storage_bucket.access_log.name
    log_object_prefix = "data"
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed, google_storage_bucket_iam_member.access_log]
}

resource "google_storage_managed_folder" "prefix" {
  for_each = toset(local.prefixes)

  bucket = google_storage_bucket.data.name
  name   = "${each.key}/"
}

# Who read and wrote what: Google puts a file an hour here.
resource "google_storage_bucket" "access_log" {
  # checkov:skip=CKV_GCP_62:it is the log, and would be written to by itself
  name     = "${var.bucket}_access_log"
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age        = var.keep_access_log_days
      with_state = "ANY"
    }
  }

  depends_on = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "access_log" {
  bucket = google_storage_bucket.access_log.name
  role   = "roles/storage.objectCreator"
  member = "group:cloud-storage-analytics@google.com"
}
