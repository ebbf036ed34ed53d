# Terraform makes the places of secrets, never their values: those would be readable in its state.
#   gcloud secrets versions add s2s-api-keys --data-file keys.txt
locals {
  secrets = {
    s2s-api-keys = "serving"  # hashes of the keys that may use the API, made by 'serving key NAME'
    s2s-wandb    = "training" # the key of Weights & Biases
  }
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  secret_id = each.key

  replication {
    auto {}
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}

resource "google_secret_manager_secret_iam_member" "read" {
  for_each = local.secrets

  secret_id = google_secret_manager_secret.secret[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service[each.value].member
}
