# The bucket that Terraform's own state is kept in. It has to be there before the rest, so it has a
# configuration of its own, whose state is a local file that can be thrown away.
terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
  }
}

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the state bucket."
  type        = string
  default     = "us-central1"
}

variable "bucket" {
  description = "Name of the state bucket."
  type        = string
}

provider "google" {
  project = var.project
  region  = var.region
}

resource "google_storage_bucket" "state" {
  # checkov:skip=CKV_GCP_62:it is there before the bucket of logs is
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
      with_state         = "ARCHIVED"
      num_newer_versions = 20
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

output "init" {
  description = "What to run next, in infra/terraform."
  value       = "terraform init -backend-config=bucket=${google_storage_bucket.state.name}"
}
