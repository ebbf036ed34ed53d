# Stages on many nodes. Autopilot makes nodes for what is asked of it, with GPUs too, so there is no
# pool to size here: infra/k8s/base/compute-class.yaml says which GPUs are tried in which order.
resource "google_container_cluster" "stages" {
  count = var.cluster ? 1 : 0

  name                = "s2s"
  location            = var.region
  enable_autopilot    = true
  deletion_protection = true
  network             = google_compute_network.stages[0].id
  subnetwork          = google_compute_subnetwork.stages[0].id

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.cluster_admins
      content {
        display_name = cidr_blocks.key
        cidr_block   = cidr_blocks.value
      }
    }
  }

  release_channel {
    channel = "REGULAR"
  }

  addons_config {
    ray_operator_config {
      enabled = true

      ray_cluster_logging_config {
        enabled = true
      }

      ray_cluster_monitoring_config {
        enabled = true
      }
    }
  }

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }

  depends_on = [google_project_iam_member.nodes]
}

# Nodes write their logs and metrics and pull images; what runs on them has an account of its own.
resource "google_service_account" "nodes" {
  account_id   = "s2s-nodes"
  display_name = "Silent to Sound, nodes of the cluster"

  depends_on = [google_project_service.needed]
}

resource "google_project_iam_member" "nodes" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

# Workload Identity: the Kubernetes account s2s/NAME acts as the service's account, without a key.
resource "google_service_account_iam_member" "workload" {
  for_each = var.cluster ? google_service_account.service : {}

  service_account_id = each.value.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${google_container_cluster.stages[0].workload_identity_config[0].workload_pool}[s2s/${replace(each.key, "_", "-")}]"
}
