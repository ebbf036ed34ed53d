# Serving on Cloud Run. Exactly one instance at most: a job's state is in the instance that took it.
resource "google_cloud_run_v2_service" "serving" {
  count = var.serving_image == "" ? 0 : 1

  name                = "s2s-serving"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = true

  template {
    service_account                  = google_service_account.service["serving"].email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "300s"
    max_instance_request_concurrency = 40
    # A second zone's GPU, held in reserve, makes each second half as dear again, for one instance.
    gpu_zonal_redundancy_disabled = var.serving_gpu == "" ? null : true

    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    dynamic "node_selector" {
      for_each = var.serving_gpu == "" ? [] : [var.serving_gpu]
      content {
        accelerator = node_selector.value
      }
    }

    containers {
      image = var.serving_image
      args = concat(
        ["serve"],
        var.serving_recipes,
        ["--host=0.0.0.0", "--port=8000", "--keys=/secrets/keys.txt", "--work-dir=/work"],
        # An example: Google does not say where Cloud Run's front end asks from. If requests in the log
        # have the client of another network, that is its address.
        ["--proxy=169.254.0.0/16"],
      )

      ports {
        container_port = 8000
      }

      env {
        name  = "S2S_BUCKET"
        value = google_storage_bucket.data.url
      }

      resources {
        limits = merge(
          { cpu = "4", memory = "16Gi" },
          var.serving_gpu == "" ? {} : { "nvidia.com/gpu" = "1" },
        )
        # Jobs go on after the request that brought them was answered.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 24

        http_get {
          path = "/readyz"
        }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/healthz"
        }
      }

      volume_mounts {
        name       = "keys"
        mount_path = "/secrets"
      }

      volume_mounts {
        name       = "work"
        mount_path = "/work"
      }
    }

    volumes {
      name = "keys"

      secret {
        secret       = google_secret_manager_secret.secret["s2s-api-keys"].secret_id
        default_mode = 292 # 0444: the container's user is none that the platform knows

        items {
          version = "latest"
          path    = "keys.txt"
        }
      }
    }

    volumes {
      name = "work"

      empty_dir {
        medium     = "MEMORY"
        size_limit = "4Gi"
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.read]
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count = var.serving_image != "" && var.serving_is_public ? 1 : 0

  name     = google_cloud_run_v2_service.serving[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
