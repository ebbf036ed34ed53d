# A network of the project's own: nodes have no public address, and leave through one gateway, which
# collection needs.
resource "google_compute_network" "stages" {
  # checkov:skip=CKV2_GCP_18:without a rule nothing comes in, and the cluster brings its own
  count = var.cluster ? 1 : 0

  name                    = "s2s"
  auto_create_subnetworks = false

  depends_on = [google_project_service.needed]
}

resource "google_compute_subnetwork" "stages" {
  count = var.cluster ? 1 : 0

  name                     = "s2s"
  network                  = google_compute_network.stages[0].id
  region                   = var.region
  ip_cidr_range            = "10.0.0.0/20"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.16.0.0/14"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.20.0.0/20"
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_router" "stages" {
  count = var.cluster ? 1 : 0

  name    = "s2s"
  network = google_compute_network.stages[0].id
  region  = var.region
}

resource "google_compute_router_nat" "stages" {
  count = var.cluster ? 1 : 0

  name                               = "s2s"
  router                             = google_compute_router.stages[0].name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}
