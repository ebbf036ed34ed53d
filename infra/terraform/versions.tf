terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
  }

  # Who applies this says where its state is kept:
  #   terraform init -backend-config=bucket=NAME
  backend "gcs" {
    prefix = "silent-to-sound"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
