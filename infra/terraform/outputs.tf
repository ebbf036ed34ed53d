output "bucket_url" {
  description = "Value for S2S_BUCKET."
  value       = google_storage_bucket.data.url
}

output "service_accounts" {
  description = "E-mail address of each service's account."
  value       = { for service, account in google_service_account.service : service => account.email }
}

output "registry" {
  description = "Where images are pushed: docker tag s2s/NAME REGISTRY/NAME:TAG"
  value       = google_artifact_registry_repository.images.registry_uri
}
