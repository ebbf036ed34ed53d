output "bucket_url" {
  description = "Value for S2S_BUCKET."
  value       = google_storage_bucket.data.url
}

output "service_accounts" {
  description = "E-mail address of each service's account."
  value       = { for service, account in google_service_account.service : service => account.email }
}

output "registry" {
  description = "Where images are pushed: ./s2s images push REGISTRY NAME --tag TAG"
  value       = google_artifact_registry_repository.images.registry_uri
}

output "vertex_arguments" {
  description = "Options of ./s2s cloud train that follow from this configuration."
  value       = "--project ${var.project} --bucket ${google_storage_bucket.data.url} --image ${google_artifact_registry_repository.images.registry_uri}/training:TAG --service-account ${google_service_account.service["training"].email}"
}

output "pipeline_account" {
  description = "Account of the pipeline on Vertex AI; its steps run as the services' accounts."
  value       = google_service_account.pipeline.email
}

output "serving_url" {
  description = "Where serving on Cloud Run answers; null as long as serving_image is empty."
  value       = one(google_cloud_run_v2_service.serving[*].uri)
}

output "cluster" {
  description = "Name of the cluster; null unless it is made."
  value       = one(google_container_cluster.stages[*].name)
}
