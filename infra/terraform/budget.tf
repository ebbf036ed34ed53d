resource "google_monitoring_notification_channel" "mail" {
  count = var.alert_mail == "" ? 0 : 1

  display_name = "Silent to Sound"
  type         = "email"
  labels       = { email_address = var.alert_mail }

  depends_on = [google_project_service.needed]
}

# Mails, when a month has cost so much, and when it is on the way to. Google switches nothing off.
resource "google_billing_budget" "month" {
  count = var.billing_account == "" ? 0 : 1

  billing_account = var.billing_account
  display_name    = "Silent to Sound, ${var.project}"

  budget_filter {
    projects        = ["projects/${data.google_project.this.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      units = tostring(var.budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  threshold_rules {
    threshold_percent = 1.2
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = google_monitoring_notification_channel.mail[*].id
    disable_default_iam_recipients   = false
  }
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_monitoring_alert_policy" "serving_fails" {
  count = var.serving_image == "" ? 0 : 1

  display_name          = "Silent to Sound: serving answers with errors"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = google_monitoring_notification_channel.mail[*].id

  conditions {
    display_name = "more than 5 answers of 5xx in 5 minutes"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"cloud_run_revision\"",
        "resource.labels.service_name = \"${google_cloud_run_v2_service.serving[0].name}\"",
        "metric.type = \"run.googleapis.com/request_count\"",
        "metric.labels.response_code_class = \"5xx\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 5
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Look at the log: gcloud run services logs read s2s-serving --region ${var.region}"
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "objects_removed" {
  display_name          = "Silent to Sound: many objects are being removed"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = google_monitoring_notification_channel.mail[*].id

  conditions {
    display_name = "more than 1,000 deletions in 10 minutes"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"gcs_bucket\"",
        "resource.labels.bucket_name = \"${google_storage_bucket.data.name}\"",
        "metric.type = \"storage.googleapis.com/api/request_count\"",
        "metric.labels.method = \"DeleteObject\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 1000
      duration        = "0s"

      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Nothing is lost for ${var.keep_replaced_days} days: gcloud storage ls --all-versions shows what was removed, by generation; the access log says by whom."
    mime_type = "text/markdown"
  }
}
